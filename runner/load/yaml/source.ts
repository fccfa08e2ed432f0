// SPDX-License-Identifier: MIT
/** The text of one file; turns offsets in it into lines and columns. */
import { LineCounter } from 'yaml';
import type { Range } from '../../common/diagnostic.ts';
import type { Place } from '../../topology/topology.ts';
import type { Span } from './parse.ts';

/** An item of `include`, and the file with it. */
export interface Includer {
  readonly source: Source;
  readonly span: Span;
}

export class Source {
  readonly file: string;
  readonly text: string;
  readonly lines = new LineCounter();
  readonly #by: Includer | undefined;

  constructor(file: string, text: string, by?: Includer) {
    this.file = file;
    this.text = text;
    this.#by = by;
  }

  /** The items of `include` that led to this file, innermost first; empty for the file that was asked for. */
  get includedFrom(): readonly Place[] {
    if (this.#by === undefined) return [];
    const { source, span } = this.#by;
    const { file, line, column } = source.range(span);
    return [{ file, line, column }, ...source.includedFrom];
  }

  range([start, end]: Span): Range {
    const { line, col } = this.lines.linePos(Math.min(start, this.text.length));
    const newline = this.text.indexOf('\n', start);
    const lineEnd = newline === -1 ? this.text.length : newline;
    const width = Math.max(1, Math.min(end, lineEnd) - start);
    const column = Math.max(col, 1);
    return { file: this.file, line: Math.max(line, 1), column, endColumn: column + width };
  }

  /** Skips indentation: the parser's errors about it are marked where the text of the line begins. */
  trimmed([start, end]: Span): Range {
    const blank = /^ */.exec(this.text.slice(start, start + 200))?.[0].length ?? 0;
    return this.range([start + blank, Math.max(end, start + blank + 1)]);
  }
}

/** The source of values that no file contains. */
export const BUILT_IN = new Source('', '');
