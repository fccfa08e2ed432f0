// SPDX-License-Identifier: MIT
/** Collects diagnostics as data; only render.ts knows colours and carets. */
import {
  type Diagnostic,
  type DiagnosticText,
  formatPath,
  type Path,
  type Piece,
  type Range,
} from '../../common/diagnostic.ts';
import { LIMITS } from '../../common/limits.ts';
import { byPlace, diagnostic } from './diagnostic.ts';

/** Where the values of a topology are written. */
export interface Places {
  /** The file that was asked for. */
  readonly file: string;
  range(path: Path, onKey: boolean): Range;
  /** Range of a piece of a text; undefined if the file writes it in another form (escapes, folding). */
  pieceOf(path: Path, piece: Piece): Range | undefined;
  /** Other facts about the value: its variables, defaults, includes. */
  notes(path: Path): readonly string[];
}

/** The diagnostics of one topology. Knows which parts are too broken to be checked further. */
export class Problems {
  readonly #list: Diagnostic[] = [];
  #errors = 0;
  readonly #broken = new Set<string>();
  readonly #faulty = new Set<string>();
  readonly #tree: Places;

  constructor(tree: Places) {
    this.#tree = tree;
  }

  /** Adds a diagnostic from reading the YAML. */
  adopt(found: Diagnostic, path: Path): void {
    this.#list.push(found);
    if (found.severity === 'error') this.#errors++;
    if (found.code === 'duplicate-key') return;
    this.#break(path);
  }

  error(path: Path, words: DiagnosticText): void {
    this.#errors++;
    this.#break(path);
    this.#add('error', path, words);
  }

  warning(path: Path, words: DiagnosticText): void {
    this.#add('warning', path, words);
  }

  /** Marks `path` as broken: what belongs there stands somewhere else, which has been reported. */
  suspect(path: Path): void {
    this.#break(path);
  }

  /** Whether there is an error at `path` or inside it. */
  isBroken(path: Path): boolean {
    return this.#broken.has(formatPath(path));
  }

  /** Whether there is an error at exactly `path`. */
  isFaulty(path: Path): boolean {
    return this.#faulty.has(formatPath(path));
  }

  /** Whether there are enough errors that the rest of the file need not be checked. Warnings do not count. */
  get enough(): boolean {
    return this.#errors >= LIMITS.mistakes.most;
  }

  get failed(): boolean {
    return this.#errors > 0;
  }

  /** All diagnostics in order of place; those that an alias repeats appear once. */
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

  #add(severity: 'error' | 'warning', path: Path, words: DiagnosticText): void {
    const range =
      (words.piece && this.#tree.pieceOf(path, words.piece)) ?? this.#tree.range(path, words.onKey ?? false);
    this.#list.push(diagnostic(severity, range, path, words, this.#tree.notes(path)));
  }
}
