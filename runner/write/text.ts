// SPDX-License-Identifier: MIT
/** The report for the terminal. */

import { neutral, neutralData } from '../common/neutral.ts';
import { count, linesOf, partAround } from '../common/text.ts';
import type { CheckResult, Failure, Verdict } from '../verdict/verdict.ts';
import { align } from './align.ts';
import { type Paint, painter } from './paint.ts';
import { placed } from './unplayed.ts';
import { inWords, placeOf, resultWord, secondsOf, unshown, whereOf } from './verdict-text.ts';

export interface TextOptions {
  readonly color: boolean;
  /** The YAML text of a file, for the lines that failures refer to; undefined if it is not available. */
  readonly source?: (file: string) => string | undefined;
}

const MARKS = { pass: ['green', '✓'], fail: ['red', '✗'], skip: ['dim', '–'] } as const;
const NAME_WIDTH = 13;

/** A verdict for people: where it ran, one line per check, each failure with its proof, the result in words. */
export function renderText(strange: Verdict, options: TextOptions): string {
  const verdict = neutralData(strange);
  const paint = painter(options.color);
  const lines = [paint('bold', whereOf(verdict.where)), subject(verdict, paint), ''];
  for (const check of verdict.checks) lines.push(...checkLines(check, paint));
  if (verdict.checks.length > 0) lines.push('');
  for (const line of verdict.account ?? []) lines.push(`  · ${line}`);
  for (const each of verdict.warnings ?? []) lines.push(`  ${paint('yellow', '!')} ${placed(each)}`);
  if (verdict.account || verdict.warnings) lines.push('');
  for (const check of verdict.checks) lines.push(...failureBlocks(check, options, paint));
  lines.push(lastLine(verdict, paint));
  return `${lines.join('\n')}\n`;
}

function subject(verdict: Verdict, paint: Paint): string {
  return `${verdict.topology}  ${paint('dim', `${verdict.file} · run ${verdict.run} · seed ${verdict.seed}`)}`;
}

function checkLines(check: CheckResult, paint: Paint): string[] {
  const [style, mark] = MARKS[check.result];
  const name = check.name.padEnd(NAME_WIDTH);
  const notes = (check.notes ?? []).map((n) => paint('dim', `    ${' '.repeat(NAME_WIDTH)}${n}`));
  return [
    `  ${paint(style, mark)} ${check.result === 'skip' ? paint('dim', name) : name} ${what(check, paint)}`,
    ...notes,
  ];
}

function what(check: CheckResult, paint: Paint): string {
  if (check.result === 'skip') return paint('dim', `not checked: ${check.reason}`);
  const size = `${check.checked} ${check.unit}`;
  return check.result === 'pass' ? size : `${paint('red', count(check.failed, 'failure'))} in ${size}`;
}

function failureBlocks(check: CheckResult, options: TextOptions, paint: Paint): string[] {
  const blocks = check.failures.flatMap((f) => [...failureLines(f, options, paint), '']);
  const more = unshown(check);
  if (more > 0) {
    const shown = check.failures.length;
    blocks.push(
      paint('dim', `  … and ${count(more, 'failure')} of ${check.name} more; the worst ${shown} are shown`),
      '',
    );
  }
  return blocks;
}

function failureLines(failure: Failure, options: TextOptions, paint: Paint): string[] {
  const [expected, observed] = align(failure.expected, failure.observed, paint);
  const at = [placeOf(failure), failure.step !== undefined && `step ${failure.step}`]
    .filter(Boolean)
    .join('  ');
  return [
    `${paint('red', '✗')} ${paint('bold', failure.check)}  ${failure.summary}`,
    ...(at === '' ? [] : [`  ${paint('dim', at)}`]),
    ...excerpt(failure, options, paint),
    `    expected  ${expected}`,
    `    observed  ${observed}`,
    ...(failure.detail ?? []).map((line) => `    ${line}`),
    ...(failure.alike > 1
      ? [paint('dim', `    and ${failure.alike - 1} more like it${ofStep(failure)}`)]
      : []),
  ];
}

const ofStep = (failure: Failure): string => (failure.step === undefined ? '' : ` in step ${failure.step}`);

/** The YAML line, with a mark under the place. */
function excerpt({ place }: Failure, options: TextOptions, paint: Paint): string[] {
  const line = place && linesOf(options.source?.(place.file) ?? '')[place.line - 1];
  if (!place || line === undefined) return [];
  const { part, column } = partAround(line.trimEnd(), place.column);
  const number = String(place.line).padStart(5);
  const mark = ' '.repeat(Math.max(0, column - 1));
  return [
    `${paint('dim', `${number} │`)} ${neutral(part)}`,
    `${paint('dim', `${' '.repeat(number.length)} │`)} ${mark}${paint('red', '^')}`,
  ];
}

const RESULTS = { pass: 'green', fail: 'red', error: 'yellow', skip: 'yellow' } as const;

function lastLine(verdict: Verdict, paint: Paint): string {
  const word = paint(RESULTS[verdict.result], paint('bold', resultWord(verdict)));
  const seconds = secondsOf(verdict);
  return `${word}  ${verdict.topology}: ${inWords(verdict)}${seconds > 0 ? `, ${seconds.toFixed(1)} s` : ''}`;
}
