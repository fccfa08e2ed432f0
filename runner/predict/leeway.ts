// SPDX-License-Identifier: MIT
/**
 * Whether a send begins whose own messages under way may have used up its send buffer: the contract does not say what
 * a message costs, so how many of a socket's sends begin is the kernel's choice. One play has one choice.
 */
import type { Lane } from '../topology/lane.ts';

export class Leeway {
  /** Sends of a socket that begin; those behind them find no room. Absent: all. */
  readonly #begin: ReadonlyMap<Lane, number>;
  /** Sends in doubt, by socket: those that would fail rather than wait. */
  readonly #doubtful = new Map<Lane, number>();
  readonly #waiting: boolean;
  #waits = false;

  /** `waiting`: who may wait, does. */
  constructor(begin: ReadonlyMap<Lane, number> = new Map(), waiting = false) {
    this.#begin = begin;
    this.#waiting = waiting;
  }

  /** Whether the next send that is in doubt begins. */
  begins(lane: Lane, nonblocking: boolean): boolean {
    this.#waits ||= !nonblocking;
    if (!nonblocking) return !this.#waiting;
    const before = this.#doubtful.get(lane) ?? 0;
    this.#doubtful.set(lane, before + 1);
    return before < (this.#begin.get(lane) ?? Number.POSITIVE_INFINITY);
  }

  /** The choices that the kernel has beside this one, in which all begin: the one with the least room first. */
  *others(): Generator<Leeway> {
    if (!this.#waits && this.#doubtful.size === 0) return;
    const none = new Map([...this.#doubtful.keys()].map((lane) => [lane, 0]));
    yield new Leeway(none, true);
    for (const begin of products([...this.#doubtful])) yield new Leeway(begin);
  }
}

/** Each number up to each of these, all but the highest of all. */
function* products(all: readonly (readonly [Lane, number])[]): Generator<ReadonlyMap<Lane, number>> {
  const sum = all.reduce((product, [, count]) => product * (count + 1), 1);
  for (let n = 0; n < sum - 1; n++) {
    let left = n;
    yield new Map(
      all.map(([lane, count]) => {
        const begin = left % (count + 1);
        left = Math.floor(left / (count + 1));
        return [lane, begin];
      }),
    );
  }
}
