// SPDX-License-Identifier: MIT
/** What is wrong or odd in a file, and where: made by the loader, shown in reports. */

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
  | 'order-dependent'
  | 'unsaid'
  | 'vacuous'
  | 'unused';

/** The path to a value: keys and indexes. */
export type Path = readonly (string | number)[];

/** A part of one line. */
export interface Range {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endColumn: number;
}

/** The text of a diagnostic, without its place. */
export interface DiagnosticText {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly expected?: string | undefined;
  readonly hint?: string | undefined;
  /** Mark the key instead of the value. */
  readonly onKey?: boolean;
  /** Mark a part of the value: in a line of its text, from this column (counted from 0). */
  readonly piece?: Piece;
}

export interface Piece {
  readonly line: string;
  readonly column: number;
  readonly length: number;
}

export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: 'error' | 'warning';
  /** What is wrong, in one clause, without a full stop. */
  readonly message: string;
  readonly file: string;
  /** From 1; 0 if the diagnostic is about the whole file. */
  readonly line: number;
  readonly column: number;
  /** First column after the marked text, on the same line. */
  readonly endColumn: number;
  /** `clients.camera.node`, `traffic[3].send.to`; empty for the whole file. */
  readonly path: string;
  /** What would have been right: `nodes of this file: gateway, ecu`. */
  readonly expected?: string;
  /** What to write or do instead, as a sentence. */
  readonly hint?: string;
  /** Where the value comes from, if it is written elsewhere: variables, defaults, includes. */
  readonly notes?: readonly string[];
}

/** A diagnostic without its place, as plain lines: what is wrong, then what to write instead. */
export const wordsOf = ({ message, expected, notes = [], hint }: Diagnostic): string[] =>
  [message, expected, ...notes, hint].filter((part) => part !== undefined);

/** `['traffic', 3, 'send']` → `traffic[3].send`; keys with other characters are quoted. */
export function formatPath(path: Path): string {
  let out = '';
  for (const part of path) {
    if (typeof part === 'number') out += `[${part}]`;
    else if (/^[\w-]+$/.test(part)) out += out === '' ? part : `.${part}`;
    else out += `[${JSON.stringify(part)}]`;
  }
  return out;
}
