// SPDX-License-Identifier: MIT
/** A file that got no verdict. Reports include it, because without it they would read as if all were well. */

import type { Diagnostic } from '../common/diagnostic.ts';
import type { Verdict } from '../verdict/verdict.ts';

export interface Unplayed {
  readonly schemaVersion: 1;
  readonly result: 'error';
  readonly file: string;
  /** What broke, or the first of the file's mistakes, in one line. */
  readonly reason: string;
  /** What is wrong with the file; empty if something else broke. */
  readonly diagnostics: readonly Diagnostic[];
}

/** What reports are written about. */
export type Report = Verdict | Unplayed;

export const isUnplayed = (report: Report): report is Unplayed => 'diagnostics' in report;

/** A file with mistakes. */
export function invalid(file: string, diagnostics: readonly Diagnostic[]): Unplayed {
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  const more = errors.length > 1 ? `, and ${errors.length - 1} more` : '';
  const reason = first ? `${near(first, file)}${more}` : 'the file has a mistake';
  return { schemaVersion: 1, result: 'error', file, reason, diagnostics };
}

/** The place of a diagnostic; short if it is in the file that is named next to it. */
function near(each: Diagnostic, file: string): string {
  if (each.file !== file) return placed(each);
  return each.line > 0 ? `line ${each.line}: ${each.message}` : each.message;
}

/** A file that could not be played for another reason. */
export const broken = (file: string, reason: string): Unplayed => ({
  ...{ schemaVersion: 1, result: 'error', file, reason },
  diagnostics: [],
});

/** `file:line:column: what is wrong` */
export function placed({ file, line, column, message }: Diagnostic): string {
  return line > 0 ? `${file}:${line}:${column}: ${message}` : `${file}: ${message}`;
}
