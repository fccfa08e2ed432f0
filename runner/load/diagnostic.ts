// SPDX-License-Identifier: MIT
/** Diagnostics are data; words meet colours and carets in render.ts only. */
import type { Diagnostic, DiagnosticCode } from '../common/diagnostic.ts';
import type { Range } from './source.ts';
import type { Path, Tree } from './tree.ts';

export type { Diagnostic, DiagnosticCode };

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

/** More than anybody reads: such a file is no topology at all. */
const MOST = 500;

/** Collects what is wrong with one topology, and knows which parts of it are too broken to be looked at further. */
export class Problems {
  readonly #list: Diagnostic[] = [];
  readonly #broken = new Set<string>();
  readonly #faulty = new Set<string>();
  readonly #tree: Tree;

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  /** Takes over what reading the YAML found. */
  adopt(found: Diagnostic, path: Path): void {
    this.#list.push(found);
    if (found.code === 'duplicate-key') return;
    this.#break(path);
  }

  error(path: Path, words: Words): void {
    this.#break(path);
    this.#add('error', path, words);
  }

  warning(path: Path, words: Words): void {
    this.#add('warning', path, words);
  }

  /** What should be at `path` is somewhere else, which has been told. */
  suspect(path: Path): void {
    this.#break(path);
  }

  /** There is an error at `path` or inside it. */
  isBroken(path: Path): boolean {
    return this.#broken.has(formatPath(path));
  }

  /** There is an error at exactly `path`. */
  isFaulty(path: Path): boolean {
    return this.#faulty.has(formatPath(path));
  }

  get failed(): boolean {
    return this.#list.some((each) => each.severity === 'error');
  }

  /** All of them by place; what an alias repeats is said once. */
  sorted(): Diagnostic[] {
    const seen = new Set<string>();
    const fresh = this.#list.filter((each) => {
      const key = `${each.file}:${each.line}:${each.column}:${each.message}`;
      return !seen.has(key) && seen.add(key);
    });
    return byPlace(fresh, this.#tree.file, this.failed);
  }

  #break(path: Path): void {
    this.#faulty.add(formatPath(path));
    for (let n = 0; n <= path.length; n++) this.#broken.add(formatPath(path.slice(0, n)));
  }

  #add(severity: 'error' | 'warning', path: Path, words: Words): void {
    const range =
      (words.piece && this.#tree.pieceOf(path, words.piece)) ?? this.#tree.range(path, words.onKey ?? false);
    this.#list.push(diagnostic(severity, range, path, words, this.#tree.notes(path)));
  }
}

/** In the order of the file that was asked for, then of those that it includes; the end of very many is summed up. */
export function byPlace(list: readonly Diagnostic[], file: string, failed: boolean): Diagnostic[] {
  const files = [...new Set([file, ...list.map((each) => each.file)])];
  const sorted = list.toSorted(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  );
  if (sorted.length <= MOST) return sorted;
  const words = { code: 'too-big', message: `and ${sorted.length - MOST} more like these` } as const;
  return [...sorted.slice(0, MOST), diagnostic(failed ? 'error' : 'warning', wholeFile(file), [], words)];
}

/** For what is about a file and no line of it. */
export const wholeFile = (file: string): Range => ({ file, line: 0, column: 0, endColumn: 0 });

/** Puts words at a range. */
export function diagnostic(
  severity: 'error' | 'warning',
  range: Range,
  path: Path,
  { code, message, expected, hint }: Words,
  notes: readonly string[] = [],
): Diagnostic {
  return {
    code,
    severity,
    message,
    ...range,
    path: formatPath(path),
    ...(expected === undefined ? {} : { expected }),
    ...(hint === undefined ? {} : { hint }),
    ...(notes.length === 0 ? {} : { notes }),
  };
}

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

/** A value as a message quotes it: short, and safe for a terminal. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value);
}

/** `a, b or c` */
export function either(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} or ${items.at(-1)}`;
}
