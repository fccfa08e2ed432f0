// SPDX-License-Identifier: MIT
/**
 * KTAP version 1: one test per topology, one subtest per check. Names are unique, because readers lose results that
 * share one.
 */

import { wordsOf } from '../common/diagnostic.ts';
import { neutralData } from '../common/neutral.ts';
import type { CheckResult, Verdict } from '../verdict/verdict.ts';
import { isUnplayed, placed, type Report, type Unplayed } from './unplayed.ts';
import { inWords, plainLines, remarksOf, resultWord, unshown, whereOf } from './verdict-text.ts';

/** One stream for all files. */
export function writeKtap(strange: readonly Report[]): string {
  const reports = neutralData(strange);
  const names = new Set<string>();
  const lines = reports.flatMap((report, i) =>
    isUnplayed(report)
      ? unplayed(report, i + 1, unique(testName(report.file), names))
      : topology(report, i + 1, unique(testName(report.topology), names)),
  );
  return ['KTAP version 1', `1..${reports.length}`, ...lines, ''].join('\n');
}

function unplayed({ reason, diagnostics }: Unplayed, number: number, name: string): string[] {
  const lines = diagnostics.flatMap((each) => {
    const [, ...more] = wordsOf(each);
    return [`${each.severity}: ${placed(each)}`, ...more.map((line) => `  ${line}`)];
  });
  return [...lines.map((line) => `# ${name}: ${oneLine(line)}`), result('error', number, name, reason)];
}

/** Makes one word of the name: a blank would end it, and `#` begins a directive. */
const testName = (text: string): string => text.replace(/[\s#\\]/g, '_');

function unique(name: string, taken: Set<string>): string {
  let chosen = name;
  for (let n = 2; taken.has(chosen); n++) chosen = `${name}-${n}`;
  taken.add(chosen);
  return chosen;
}

function topology(verdict: Verdict, number: number, name: string): string[] {
  const checks = verdict.checks.flatMap((check, i) => subtest(check, i + 1, name));
  const nested = checks.length > 0 ? ['KTAP version 1', `1..${verdict.checks.length}`, ...checks] : [];
  return [
    ...nested.map((line) => `  ${line}`),
    `# ${name}: ${whereOf(verdict.where)} · seed ${verdict.seed}`,
    `# ${name}: ${resultWord(verdict)}: ${oneLine(inWords(verdict))}`,
    ...remarksOf(verdict).map((line) => `# ${name}: ${oneLine(line)}`),
    ...(verdict.warnings ?? []).map((each) => `# ${name}: warning: ${oneLine(placed(each))}`),
    // A run that proves nothing is no success, but readers take whatever has a SKIP for one.
    result(verdict.result === 'skip' ? 'fail' : verdict.result, number, name, verdict.reason),
  ];
}

function subtest(check: CheckResult, number: number, topology: string): string[] {
  const name = `${topology}.${check.name}`;
  const more = unshown(check);
  const why = check.failures.flatMap((f) => [f.summary, ...plainLines(f).map((line) => `  ${line}`)]);
  if (more > 0) why.push(`and ${more} more that are not shown`);
  return [
    ...why.map((line) => `# ${name}: ${oneLine(line)}`),
    result(check.result, number, name, check.reason),
  ];
}

/** `ERROR` is KTAP's word for a test that could not be run. */
function result(outcome: Verdict['result'], number: number, name: string, reason = ''): string {
  const why = reason === '' ? '' : ` ${oneLine(reason)}`;
  switch (outcome) {
    case 'pass':
      return `ok ${number} ${name}`;
    case 'skip':
      return `ok ${number} ${name} # SKIP${why}`;
    case 'fail':
      return `not ok ${number} ${name}`;
    case 'error':
      return `not ok ${number} ${name} # ERROR${why}`;
  }
}

/**
 * Makes one line: a second line would be read as a result. A `#` between blanks begins a directive, and kunit.py takes the
 * last one of a line.
 */
const oneLine = (text: string): string =>
  text.replace(/\s*\n\s*/g, ' ').replace(/(?<=^|\s)#+(?=\s|$)/g, 'no.');
