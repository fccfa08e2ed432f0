// SPDX-License-Identifier: MIT
/** The values of a topology, out of one file or several, with the place of every key and value kept beside them. */

import type { Path, Piece, Range } from '../../common/diagnostic.ts';
import type { Place } from '../../topology/topology.ts';
import type { SourceNode } from './construct.ts';
import type { Source } from './source.ts';

export class Tree {
  /** The one that was asked for. */
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

  /** The marked text for `path`: the value, or its key where the value spans lines; the nearest parent where it is absent. */
  range(path: Path, onKey: boolean): Range {
    const { spot, found } = this.#spot(path);
    // The payload of a short send: its key is the send.
    const whole = spot.isCollection && !String(path.at(-1)).includes('->');
    const key = spot.key !== undefined && (onKey || !found || whole) ? spot.key : undefined;
    return spot.source.range(key ?? spot.value);
  }

  /** A piece of a text, where its line is written as it is read: no escapes, no folding. */
  pieceOf(path: Path, { line, column, length }: Piece): Range | undefined {
    const { source, value } = this.#spot(path).spot;
    const [start, end] = value;
    const at = source.text.slice(start, end).indexOf(line);
    if (at < 0 || line === '') return undefined;
    const from = start + at + column;
    return source.range([from, from + length]);
  }

  /** The place of a whole item: its key where it has one. */
  place(path: Path): Place {
    const { file, line, column } = this.range(path, true);
    return { file, line, column };
  }

  /** A value's own text, for what YAML's types would change (`1.10`, `0010`). */
  text(path: Path): string {
    const { spot } = this.#spot(path);
    const [start, end] = spot.value;
    return spot.text ?? spot.source.text.slice(start, end);
  }

  /** What variables made of the value; undefined where it names none. */
  substituted(path: Path): string | undefined {
    const { spot, found } = this.#spot(path);
    return found ? spot.text : undefined;
  }

  /** What else to know of the value at `path`: its variables, what it is inherited from, what included its file. */
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

/** `included from main.topo.yaml:2:11`, for a file that was. */
export const inclusion = ({ includedFrom }: Source): string[] =>
  includedFrom.map(({ file, line, column }) => `included from ${file}:${line}:${column}`);
