// SPDX-License-Identifier: MIT
/**
 * Batches in columns, which the lanes of one process report together: in a crowd most of them take the same messages, and
 * those are told once.
 */
import type { Clock } from '../common/clock.ts';
import { FLAG_FENCE, FLAG_INTACT, type NodeReport, type PackedBatch, type PackedKind } from './protocol.ts';
import type { Columns, ColumnsKind } from './system.ts';

/** Rows of the report, which are messages and takers. */
const MAX_ROWS = 1024;
const LATEST_MS = 250;

type Taker = PackedBatch['takers'][number];

export class Batches {
  readonly #clock: Clock;
  readonly #say: (report: NodeReport) => void;
  #list: PackedBatch[] = [];
  #rows = 0;
  /** What the last taker took, and all that took the same. */
  #columns: Columns | undefined;
  #takers: Taker[] = [];
  #forget: (() => void) | undefined;

  constructor(clock: Clock, say: (report: NodeReport) => void) {
    this.#clock = clock;
    this.#say = say;
  }

  /** Positions of a lane come one after another. */
  add(columns: Columns, taker: Taker): void {
    if (columns !== this.#columns) this.#begin(columns);
    this.#takers.push(taker);
    if (++this.#rows >= MAX_ROWS) this.flush();
    else this.#forget ??= this.#clock.after(LATEST_MS, () => this.flush());
  }

  flush(): void {
    this.#forget?.();
    this.#forget = undefined;
    const list = this.#list;
    if (list.length === 0) return;
    this.#list = [];
    this.#rows = 0;
    this.#columns = undefined;
    this.#say({ say: 'batches', list });
  }

  #begin(columns: Columns): void {
    this.#columns = columns;
    this.#takers = [];
    this.#list.push(packed(columns, this.#takers));
    this.#rows += columns.count;
  }
}

const packed = (
  { number, sequence, length, kind, kinds }: Columns,
  takers: readonly Taker[],
): PackedBatch => ({
  takers,
  message: number,
  sequence,
  length,
  kind,
  kinds: kinds.map(packedKind),
});

function packedKind({ fence, from, credentials: { pid, uid, gid } }: ColumnsKind): PackedKind {
  return [(fence ? FLAG_FENCE : 0) | FLAG_INTACT, from, [pid, uid, gid], 0, 0];
}
