// SPDX-License-Identifier: MIT
/** The shortest proof that an order is impossible: a cycle of "A before B", with the reason for each step. */

import type { Adjacency, Label } from './graph.ts';
import type { History } from './history.ts';
import { ShortestCycle } from './shortest-cycle.ts';

/** `from` comes before `to`. */
export interface Hop {
  readonly from: number;
  readonly to: number;
  readonly why: Label;
  /** If `why` is a lane: the lane's index in the history, and the indexes of both nodes in the lane. */
  readonly lane?: { readonly index: number; readonly from: number; readonly to: number };
}

/** Number of nodes from which a cycle is searched; one is enough for a proof, several may find a shorter one. */
const STARTS = 48;
const EFFORT = 2_000_000;

/** A cycle with the fewest lanes and reasons in a strongly connected component; only labels up to `most` count. */
export function witness(
  history: History,
  graph: Adjacency,
  most: number,
  component: readonly number[],
): Hop[] {
  const shortest = new ShortestCycle(history, graph, most, component);
  const messages = component
    .filter((n) => n < history.messages + history.fences.length)
    .sort((a, b) => a - b);
  const starts = Math.max(1, Math.min(STARTS, EFFORT / shortest.size));
  const stride = Math.max(1, Math.ceil(messages.length / starts));
  let best: Hop[] = [];
  for (let i = 0; i < messages.length; i += stride) {
    const cycle = shortest.cycle(messages[i] as number);
    if (cycle.length > 0 && (best.length === 0 || cycle.length < best.length)) best = cycle;
    if (best.length === 2) break;
  }
  return nearest(history, best);
}

/** If two lanes disagree, some two neighbours of what both have are in the opposite order: shows these. */
function nearest(history: History, cycle: Hop[]): Hop[] {
  const [first, second] = cycle;
  if (cycle.length !== 2 || !first?.lane || !second?.lane) return cycle;
  const { index: a } = first.lane;
  const { index: b } = second.lane;
  const place = new Map<number, number>();
  for (const [i, n] of history.lanes[b]?.nodes.entries() ?? []) place.set(n, i);
  let last = -1;
  const nodes = history.lanes[a]?.nodes ?? [];
  for (let i = 0; i < nodes.length; i++) {
    const there = place.get(nodes[i] as number);
    if (there === undefined) continue;
    const before = last < 0 ? -1 : (place.get(nodes[last] as number) as number);
    if (before > there) {
      const [x, y] = [nodes[last] as number, nodes[i] as number];
      return [
        { from: x, to: y, why: 'lane', lane: { index: a, from: last, to: i } },
        { from: y, to: x, why: 'lane', lane: { index: b, from: there, to: before } },
      ];
    }
    last = i;
  }
  return cycle;
}
