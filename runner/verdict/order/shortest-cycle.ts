// SPDX-License-Identifier: MIT
/**
 * Finds a cycle in a component that needs the fewest reasons, by a search for a cheapest journey: to board a lane, or a
 * chain of helper nodes, costs one; to ride along it costs nothing.
 */

import { type Adjacency, LABELS, type Label, rank } from './graph.ts';
import type { History } from './history.ts';
import type { Hop } from './witness.ts';

const LANE = rank('lane');

/** A node of the component on a lane, where a journey along that lane may end. */
interface Stop {
  readonly lane: number;
  /** The node's index in the lane. */
  readonly place: number;
  readonly node: number;
  /** Whether the next stop in the list of all stops is on the same lane. */
  more: boolean;
}

export class ShortestCycle {
  readonly #graph: Adjacency;
  readonly #most: number;
  readonly #inside: ReadonlySet<number>;
  readonly #real: number;
  readonly #stops: Stop[] = [];
  readonly #stopsOf = new Map<number, number[]>();

  constructor(history: History, graph: Adjacency, most: number, component: readonly number[]) {
    this.#graph = graph;
    this.#most = most;
    this.#inside = new Set(component);
    this.#real = history.messages + history.fences.length;
    for (const [lane, { nodes }] of history.lanes.entries()) this.#addLane(lane, nodes);
  }

  get size(): number {
    return this.#inside.size + this.#stops.length;
  }

  /** The cheapest cycle through a node; empty if there is none. */
  cycle(start: number): Hop[] {
    // States are first the nodes by number, then the stops: being at a stop means "riding this lane".
    const cost = new Map<number, number>([[start, 0]]);
    const previous = new Map<number, number>();
    let level = [start];
    for (let at = 0; level.length > 0; at++) {
      const later: number[] = [];
      // The level grows while it is processed: moves that cost nothing belong to it.
      for (const state of level) {
        if (cost.get(state) !== at) continue;
        for (const [next, fare] of this.#moves(state)) {
          if (next === start) return this.#hops(this.#path(state, start, previous));
          if ((cost.get(next) ?? Infinity) <= at + fare) continue;
          cost.set(next, at + fare);
          previous.set(next, state);
          (fare === 0 ? level : later).push(next);
        }
      }
      level = later;
    }
    return [];
  }

  #addLane(lane: number, nodes: Int32Array): void {
    let last: Stop | undefined;
    nodes.forEach((node, place) => {
      if (!this.#inside.has(node)) return;
      if (last) last.more = true;
      last = { lane, place, node, more: false };
      const stop = this.#stops.push(last) - 1;
      const others = this.#stopsOf.get(node);
      if (others) others.push(stop);
      else this.#stopsOf.set(node, [stop]);
    });
  }

  /** The next states after a state, each with its cost. */
  *#moves(state: number): Generator<readonly [next: number, fare: number]> {
    const stop = this.#stops[state - this.#graph.nodes];
    if (stop) {
      yield [stop.node, 0];
      if (stop.more) yield [state + 1, 0];
      return;
    }
    for (const s of this.#stopsOf.get(state) ?? []) {
      if (this.#stops[s]?.more) yield [this.#graph.nodes + s + 1, 1];
    }
    const fare = state < this.#real ? 1 : 0;
    for (const e of this.#edges(state)) yield [this.#graph.to[e] as number, fare];
  }

  /** Edges within the component that belong to no lane. */
  *#edges(node: number): Generator<number> {
    const { first, to, label } = this.#graph;
    for (let e = first[node] as number; e < (first[node + 1] as number); e++) {
      if (label[e] !== LANE && (label[e] as number) <= this.#most && this.#inside.has(to[e] as number))
        yield e;
    }
  }

  #path(last: number, start: number, previous: ReadonlyMap<number, number>): number[] {
    const path = [start, last];
    while (path.at(-1) !== start) path.push(previous.get(path.at(-1) as number) as number);
    return path.reverse();
  }

  /** Splits a journey into its rides, each from one real node to another. */
  #hops(path: readonly number[]): Hop[] {
    const hops: Hop[] = [];
    let from = 0;
    for (let i = 1; i < path.length; i++) {
      if ((path[i] as number) >= this.#real) continue;
      hops.push(this.#hop(path.slice(from, i + 1)));
      from = i;
    }
    return hops;
  }

  #hop(ride: readonly number[]): Hop {
    const [from, next, to] = [ride[0] as number, ride[1] as number, ride.at(-1) as number];
    const boarded = this.#stops[next - this.#graph.nodes];
    if (!boarded) return { from, to, why: this.#label(from, next) };
    const left = this.#stops[(ride.at(-2) as number) - this.#graph.nodes] as Stop;
    const start = this.#stops[next - this.#graph.nodes - 1] as Stop;
    return { from, to, why: 'lane', lane: { index: boarded.lane, from: start.place, to: left.place } };
  }

  #label(from: number, to: number): Label {
    let best = LABELS.length - 1;
    for (const e of this.#edges(from))
      if (this.#graph.to[e] === to) best = Math.min(best, this.#graph.label[e] as number);
    return LABELS[best] as Label;
  }
}
