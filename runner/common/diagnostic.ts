// SPDX-License-Identifier: MIT
/** What is wrong with a file, or odd, at its place: the loader finds it, reports show it. */

/** Stable names for machines; the message is for people and may change. */
export type DiagnosticCode =
  | 'file'
  | 'encoding'
  | 'too-big'
  | 'empty'
  | 'syntax'
  | 'duplicate-key'
  | 'unset-variable'
  | 'include'
  | 'wrong-type'
  | 'missing-key'
  | 'unknown-key'
  | 'bad-value'
  | 'bad-name'
  | 'unknown-name'
  | 'duplicate-name'
  | 'clash'
  | 'impossible'
  | 'chancy'
  | 'unused';

export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: 'error' | 'warning';
  /** What is wrong, in one clause, without a full stop. */
  readonly message: string;
  readonly file: string;
  /** From 1; 0 where the diagnostic is about the file as a whole. */
  readonly line: number;
  readonly column: number;
  /** First column behind the marked text, on the same line. */
  readonly endColumn: number;
  /** `clients.camera.node`, `traffic[3].send.to`; empty for the whole file. */
  readonly path: string;
  /** What would have been right: `nodes of this file: gateway, ecu`. */
  readonly expected?: string;
  /** What to write or do instead, as a sentence. */
  readonly hint?: string;
  /** Where the value comes from, where that is not its own place: variables, defaults, includes. */
  readonly notes?: readonly string[];
}

/** A diagnostic without its place and its line, as lines of plain text: what is wrong, then what to write instead. */
export const wordsOf = ({ message, expected, notes = [], hint }: Diagnostic): string[] =>
  [message, expected, ...notes, hint].filter((part) => part !== undefined);
