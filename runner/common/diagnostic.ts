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
  | 'order-dependent'
  | 'unsaid'
  | 'vacuous'
  | 'unused';

/** The way to a value: keys and indexes. */
export type Path = readonly (string | number)[];

/** A stretch of one line. */
export interface Range {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endColumn: number;
}

/** The words of a diagnostic, before it has a place. */
export interface Words {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly expected?: string | undefined;
  readonly hint?: string | undefined;
  /** Mark the key rather than the value. */
  readonly onKey?: boolean;
  /** Mark a piece of the value: of a line of its text, from this column (from 0) on. */
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
  /** From 1; 0 where the diagnostic is about the file as a whole. */
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
  /** Where the value comes from, where that is not its own place: variables, defaults, includes. */
  readonly notes?: readonly string[];
}

/** A diagnostic without its place and its line, as lines of plain text: what is wrong, then what to write instead. */
export const wordsOf = ({ message, expected, notes = [], hint }: Diagnostic): string[] =>
  [message, expected, ...notes, hint].filter((part) => part !== undefined);

/** `['traffic', 3, 'send']` → `traffic[3].send`; keys that are no plain words are quoted. */
export function formatPath(path: Path): string {
  let out = '';
  for (const part of path) {
    if (typeof part === 'number') out += `[${part}]`;
    else if (/^[\w-]+$/.test(part)) out += out === '' ? part : `.${part}`;
    else out += `[${JSON.stringify(part)}]`;
  }
  return out;
}
