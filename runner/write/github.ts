// SPDX-License-Identifier: MIT
/** Writes workflow commands, which show failures at their lines of the YAML. */

import { type Diagnostic, wordsOf } from '../common/diagnostic.ts';
import { neutralData } from '../common/neutral.ts';
import type { Failure, Verdict } from '../verdict/verdict.ts';
import { isUnplayed, type Report, type Unplayed } from './unplayed.ts';
import { failuresOf, inWords, plainLines, remarksOf, resultWord, whereOf } from './verdict-text.ts';

/** GitHub shows no more errors than this per step of a workflow. */
const MAX_ANNOTATIONS = 10;

/** The first annotations of all files, the worst of each file first; then one line per file. */
export function writeGithub(strange: readonly Report[]): string {
  const reports = neutralData(strange);
  const turns = reports.map(annotations);
  const all = takeTurns(turns);
  const left = all.length - MAX_ANNOTATIONS;
  const shown =
    left > 0
      ? [...all.slice(0, MAX_ANNOTATIONS - 1), `::error title=more failures::${left + 1} more are in the log`]
      : all;
  const lines = reports.map((report) =>
    isUnplayed(report)
      ? `ERROR ${data(`${report.file}: ${report.reason}`)}`
      : `${resultWord(report)} ${report.topology} (${whereOf(report.where)}): ${data([inWords(report), ...remarksOf(report)].join('; '))}`,
  );
  return [...shown, ...lines, ''].join('\n');
}

/**
 * Takes the first item of each list, then the second of each …: a topology with many failures does not hide the others.
 */
function takeTurns<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map((l) => l.length));
  return Array.from({ length: longest }, (_, i) =>
    lists.flatMap((l) => (i < l.length ? [l[i] as T] : [])),
  ).flat();
}

function annotations(report: Report): string[] {
  if (isUnplayed(report)) return unplayed(report);
  const warnings = (report.warnings ?? []).map(annotate);
  if (report.result === 'error') return [instead(report, 'could not be run'), ...warnings];
  if (report.result === 'skip') return [instead(report, 'proves nothing'), ...warnings];
  return [...failuresOf(report).map((failure) => annotation(report, failure)), ...warnings];
}

function unplayed({ file, reason, diagnostics }: Unplayed): string[] {
  if (diagnostics.length > 0) return diagnostics.map(annotate);
  return [`::error ${properties({ file, title: 'could not be run' })}::${data(reason)}`];
}

/** A diagnostic at its line, with what to write instead. */
export function annotate(strange: Diagnostic): string {
  const each = neutralData(strange);
  const { severity, file, line, column, endColumn } = each;
  const where = line > 0 ? { file, line, col: column, endColumn: Math.max(column, endColumn - 1) } : { file };
  return `::${severity} ${properties(where)}::${data(wordsOf(each).join('\n'))}`;
}

/** The annotation for a verdict without failures. */
const instead = (verdict: Verdict, what: string): string =>
  `::error ${properties({ file: verdict.file, title: `${verdict.topology}: ${what}` })}::${data(inWords(verdict))}`;

function annotation(verdict: Verdict, failure: Failure): string {
  const { place } = failure;
  const where = place ? { file: place.file, line: place.line, col: place.column } : { file: verdict.file };
  const title = `${verdict.topology}: ${failure.check}`;
  const body = [failure.summary, ...plainLines(failure).slice(place ? 1 : 0)].join('\n');
  return `::error ${properties({ ...where, title })}::${data(body)}`;
}

const properties = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${data(String(value)).replace(/:/g, '%3A').replace(/,/g, '%2C')}`)
    .join(',');

const data = (text: string): string => text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
