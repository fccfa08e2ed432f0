// SPDX-License-Identifier: MIT
/** The values of a topology from one or several files, with the place of every key and value. */

import type { Path, Piece, Range } from '../../common/diagnostic.ts';
import type { Place } from '../../topology/topology.ts';
import type { SourceNode } from './construct.ts';
import type { Source } from './source.ts';

export class Tree {
  /** The file that was asked for. */
  readonly source: Source;
  readonly value: unknown;
  readonly root: SourceNode;

  constructor(source: Source, { value, spot }: { readonly value: unknown; readonly spot: SourceNode }) {
    this.source = source;
    this.value = value;
    this.root = spot;
  }

  get file(): string {
    return this.source.file;
  }

  /**
   * The text to mark for `path`: the value, or its key if the value spans lines; the nearest parent if `path` is
   * absent.
   */
  range(path: Path, onKey: boolean): Range {
    const { spot, found } = this.#spot(path);
    // In a short send the key is the send, and the value its payload.
    const whole = spot.isCollection && !String(path.at(-1)).includes('->');
    const key = spot.key !== undefined && (onKey || !found || whole) ? spot.key : undefined;
    return spot.source.range(key ?? spot.value);
  }

  /** Range of a piece of a text, if the file writes its line without escapes or folding. */
  pieceOf(path: Path, { line, column, length }: Piece): Range | undefined {
    const { source, value } = this.#spot(path).spot;
    const [start, end] = value;
    const at = source.text.slice(start, end).indexOf(line);
    if (at < 0 || line === '') return undefined;
    const from = start + at + column;
    return source.range([from, from + length]);
  }

  /** The place of an item: its key if it has one. */
  place(path: Path): Place {
    const { file, line, column } = this.range(path, true);
    return { file, line, column };
  }

  /** The value as written, for texts that YAML's types would change (`1.10`, `0010`). */
  text(path: Path): string {
    const { spot } = this.#spot(path);
    const [start, end] = spot.value;
    return spot.text ?? spot.source.text.slice(start, end);
  }

  /** The value after its variables were replaced; undefined if it contains none. */
  substituted(path: Path): string | undefined {
    const { spot, found } = this.#spot(path);
    return found ? spot.text : undefined;
  }

  /** Other facts about the value at `path`: its variables, defaults and includes. */
  notes(path: Path): string[] {
    const { spot, inherited } = this.#spot(path);
    const notes = (spot.uses ?? []).map(
      ({ name, value, origin }) => `\${${name}} is ${JSON.stringify(value)} here, from ${origin}`,
    );
    if (inherited !== undefined) notes.push(`inherited from ${inherited}`);
    return [...notes, ...inclusion(spot.source)];
  }

  #spot(path: Path): { spot: SourceNode; found: boolean; inherited: string | undefined } {
    let spot = this.root;
    let inherited: string | undefined;
    for (const part of path) {
      const child = spot.children.get(part);
      if (child === undefined) return { spot, found: false, inherited };
      spot = child;
      inherited ??= spot.inherited;
    }
    return { spot, found: true, inherited };
  }
}

/** `included from main.topo.yaml:2:11`, if the file was included. */
export const inclusion = ({ includedFrom }: Source): string[] =>
  includedFrom.map(({ file, line, column }) => `included from ${file}:${line}:${column}`);
