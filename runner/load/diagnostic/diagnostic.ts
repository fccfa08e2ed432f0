// SPDX-License-Identifier: MIT
/** Makes diagnostics: the words, and the range in the file that they are about. */
import {
  type Diagnostic,
  type DiagnosticText,
  formatPath,
  type Path,
  type Range,
} from '../../common/diagnostic.ts';
import { LIMITS } from '../../common/limits.ts';
import { clip } from '../../common/text.ts';

/** A file with more mistakes than anybody reads is no topology. */
const MAX_DIAGNOSTICS = LIMITS.diagnostics.most;

/**
 * Sorts diagnostics: first those of the file that was asked for, then those of included files. Very many are summed up
 * at the end.
 */
export function byPlace(list: readonly Diagnostic[], file: string, failed: boolean): Diagnostic[] {
  const files = [...new Set([file, ...list.map((each) => each.file)])];
  const sorted = list.toSorted(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  );
  if (sorted.length <= MAX_DIAGNOSTICS) return sorted;
  const least = sorted.length < LIMITS.mistakes.most ? '' : 'at least ';
  const words = {
    code: 'too-big',
    message: `and ${least}${sorted.length - MAX_DIAGNOSTICS} more like these`,
  } as const;
  return [
    ...sorted.slice(0, MAX_DIAGNOSTICS),
    diagnostic(failed ? 'error' : 'warning', wholeFile(file), [], words),
  ];
}

/** The range of a diagnostic about the whole file. */
export const wholeFile = (file: string): Range => ({ file, line: 0, column: 0, endColumn: 0 });

/** Gives the words a range. */
export function diagnostic(
  severity: 'error' | 'warning',
  range: Range,
  path: Path,
  { code, message, expected, hint }: DiagnosticText,
  notes: readonly string[] = [],
): Diagnostic {
  return {
    code,
    severity,
    message: short(message),
    ...range,
    path: short(formatPath(path)),
    ...(expected === undefined ? {} : { expected: short(expected) }),
    ...(hint === undefined ? {} : { hint: short(hint) }),
    ...(notes.length === 0 ? {} : { notes: notes.map(short) }),
  };
}

/** Words quote parts of the file, which may be of any length. */
const short = (words: string): string => clip(words, LIMITS.wordsLength.most);
