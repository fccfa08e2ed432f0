// SPDX-License-Identifier: MIT
/** Finds the cycles of a graph, in linear time and without recursion. */

import { type Adjacency, count } from './graph.ts';

/** Nodes that are on a cycle or after one; none in a graph without cycles (Kahn's algorithm). */
export function behindCycles({ nodes, first, to }: Adjacency): number[] {
  const waiting = new Int32Array(nodes);
  for (let e = 0; e < to.length; e++) count(waiting, to[e] as number, 1);
  const ready = new Int32Array(nodes);
  let end = 0;
  for (let n = 0; n < nodes; n++) if (waiting[n] === 0) ready[end++] = n;
  for (let begin = 0; begin < end; begin++) {
    const n = ready[begin] as number;
    for (let e = first[n] as number; e < (first[n + 1] as number); e++) {
      if (count(waiting, to[e] as number, -1) === 0) ready[end++] = to[e] as number;
    }
  }
  const left: number[] = [];
  if (end < nodes) for (let n = 0; n < nodes; n++) if ((waiting[n] as number) > 0) left.push(n);
  return left;
}

/**
 * The strongly connected components with more than one node. Only edges with labels up to `most`, and nodes in `among`,
 * count. (Tarjan's algorithm.)
 */
export function components(graph: Adjacency, most: number, among: readonly number[]): number[][] {
  const search = new Search(graph, most, among);
  for (const root of among) search.from(root);
  return search.found;
}

const UNSEEN = 0;
const OUTSIDE = -1;

class Search {
  readonly found: number[][] = [];
  readonly #graph: Adjacency;
  readonly #most: number;
  /** Order of discovery, from 1; OUTSIDE for nodes that are excluded or done. */
  readonly #index: Int32Array;
  readonly #low: Int32Array;
  readonly #edge: Int32Array;
  readonly #open: number[] = [];
  #next = 1;

  constructor(graph: Adjacency, most: number, among: readonly number[]) {
    this.#graph = graph;
    this.#most = most;
    this.#index = new Int32Array(graph.nodes).fill(OUTSIDE);
    this.#low = new Int32Array(graph.nodes);
    this.#edge = new Int32Array(graph.nodes);
    for (const n of among) this.#index[n] = UNSEEN;
  }

  from(root: number): void {
    if (this.#index[root] !== UNSEEN) return;
    const path = [root];
    this.#enter(root);
    while (path.length > 0) {
      const n = path.at(-1) as number;
      const child = this.#step(n);
      if (child >= 0) {
        path.push(child);
        this.#enter(child);
        continue;
      }
      path.pop();
      if (this.#low[n] === this.#index[n]) this.#close(n);
      else this.#lower(path.at(-1) as number, this.#low[n] as number);
    }
  }

  #enter(n: number): void {
    this.#index[n] = this.#low[n] = this.#next++;
    this.#edge[n] = this.#graph.first[n] as number;
    this.#open.push(n);
  }

  /** Follows the remaining edges of `n`; returns an undiscovered neighbour, or -1 if there is none. */
  #step(n: number): number {
    const { first, to, label } = this.#graph;
    while ((this.#edge[n] as number) < (first[n + 1] as number)) {
      const e = count(this.#edge, n, 1) - 1;
      const other = to[e] as number;
      const index = this.#index[other] as number;
      if ((label[e] as number) > this.#most || index === OUTSIDE) continue;
      if (index === UNSEEN) return other;
      this.#lower(n, index);
    }
    return -1;
  }

  #lower(n: number, low: number): void {
    if (low < (this.#low[n] as number)) this.#low[n] = low;
  }

  #close(root: number): void {
    const component: number[] = [];
    let n: number;
    do {
      n = this.#open.pop() as number;
      this.#index[n] = OUTSIDE;
      component.push(n);
    } while (n !== root);
    if (component.length > 1) this.found.push(component);
  }
}
