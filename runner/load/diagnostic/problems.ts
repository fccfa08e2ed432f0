// SPDX-License-Identifier: MIT
/** Diagnostics are data; words meet colours and carets in render.ts only. */
import {
  type Diagnostic,
  formatPath,
  type Path,
  type Piece,
  type Range,
  type Words,
} from '../../common/diagnostic.ts';
import { LIMITS } from '../../common/limits.ts';
import { byPlace, diagnostic } from './diagnostic.ts';

/** Where the values of a topology are written. */
export interface Places {
  /** The one that was asked for. */
  readonly file: string;
  range(path: Path, onKey: boolean): Range;
  /** A piece of a text; undefined where it does not stand in the file as it is read. */
  pieceOf(path: Path, piece: Piece): Range | undefined;
  /** What else to know of the value. */
  notes(path: Path): readonly string[];
}

/** Collects what is wrong with one topology, and knows which parts of it are too broken to be looked at further. */
export class Problems {
  readonly #list: Diagnostic[] = [];
  #errors = 0;
  readonly #broken = new Set<string>();
  readonly #faulty = new Set<string>();
  readonly #tree: Places;

  constructor(tree: Places) {
    this.#tree = tree;
  }

  /** Takes over what reading the YAML found. */
  adopt(found: Diagnostic, path: Path): void {
    this.#list.push(found);
    if (found.severity === 'error') this.#errors++;
    if (found.code === 'duplicate-key') return;
    this.#break(path);
  }

  error(path: Path, words: Words): void {
    this.#errors++;
    this.#break(path);
    this.#add('error', path, words);
  }

  warning(path: Path, words: Words): void {
    this.#add('warning', path, words);
  }

  /** What belongs at `path` is somewhere else, which has been reported. */
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

  /** What is wrong with the file is known by now: the rest of it need not be looked at. Warnings do not count. */
  get enough(): boolean {
    return this.#errors >= LIMITS.mistakes.most;
  }

  get failed(): boolean {
    return this.#errors > 0;
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
