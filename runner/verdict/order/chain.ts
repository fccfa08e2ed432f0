// SPDX-License-Identifier: MIT
/** Represents time by a chain of helper nodes: "ended before this began" for all pairs, with a few edges each. */

import type { Graph } from './graph.ts';

/** An event that begins at `t`, and its node. */
export interface Beginning {
  readonly node: number;
  readonly t: number;
}

/** An event that ends at `t`. `place` is its index among the beginnings, if it is one of them. */
export interface Over {
  readonly node: number;
  readonly t: number;
  readonly label: number;
  readonly place?: number;
}

const LINK = 0;

/**
 * Puts every `over` before all later beginnings. Both lists are sorted by time. Equal times count as concurrent, except
 * between two beginnings of one list in program order (`place` tells).
 */
export function addChain(graph: Graph, beginnings: readonly Beginning[], overs: readonly Over[]): void {
  let next = 0;
  let last = -1;
  beginnings.forEach(({ node, t }, i) => {
    let helper = -1;
    while (next < overs.length && isBefore(overs[next] as Over, t, i)) {
      const over = overs[next++] as Over;
      if (helper < 0) helper = graph.addNode();
      graph.addEdge(over.node, helper, over.label);
    }
    if (helper >= 0 && last >= 0) graph.addEdge(last, helper, LINK);
    if (helper >= 0) last = helper;
    if (last >= 0) graph.addEdge(last, node, LINK);
  });
}

const isBefore = (over: Over, t: number, place: number): boolean =>
  over.t < t || (over.t === t && over.place !== undefined && over.place < place);
