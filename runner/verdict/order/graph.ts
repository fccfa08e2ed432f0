// SPDX-License-Identifier: MIT
/** A directed graph in typed arrays: edges are added one by one, then read by their start. */

/**
 * Why one node comes before another, weakest promise first. A cycle breaks the promise of the strongest label that it
 * needs. `link` edges belong to helper nodes and promise nothing.
 */
export const LABELS = ['link', 'lane', 'sequence', 'session', 'causal', 'realtime'] as const;
export type Label = (typeof LABELS)[number];
export const rank = (label: Label): number => LABELS.indexOf(label);

/** Adds to a counter; returns its new value. */
export function count(counters: Int32Array, at: number, by: number): number {
  const sum = (counters[at] as number) + by;
  counters[at] = sum;
  return sum;
}

export class Graph {
  nodes: number;
  edges = 0;
  #from = new Int32Array(1 << 12);
  #to = new Int32Array(1 << 12);
  #label = new Uint8Array(1 << 12);

  constructor(nodes: number) {
    this.nodes = nodes;
  }

  addNode(): number {
    return this.nodes++;
  }

  addEdge(from: number, to: number, label: number): void {
    if (this.edges === this.#from.length) this.#grow();
    this.#from[this.edges] = from;
    this.#to[this.edges] = to;
    this.#label[this.edges++] = label;
  }

  /** Edges grouped by their start. */
  index(): Adjacency {
    const first = new Int32Array(this.nodes + 1);
    for (let e = 0; e < this.edges; e++) count(first, (this.#from[e] as number) + 1, 1);
    for (let n = 0; n < this.nodes; n++) count(first, n + 1, first[n] as number);
    const next = first.slice(0, this.nodes);
    const to = new Int32Array(this.edges);
    const label = new Uint8Array(this.edges);
    for (let e = 0; e < this.edges; e++) {
      const at = count(next, this.#from[e] as number, 1) - 1;
      to[at] = this.#to[e] as number;
      label[at] = this.#label[e] as number;
    }
    return { nodes: this.nodes, first, to, label };
  }

  #grow(): void {
    const wider = <T extends Int32Array | Uint8Array>(old: T, fresh: T): T => {
      fresh.set(old);
      return fresh;
    };
    this.#from = wider(this.#from, new Int32Array(this.edges * 2));
    this.#to = wider(this.#to, new Int32Array(this.edges * 2));
    this.#label = wider(this.#label, new Uint8Array(this.edges * 2));
  }
}

/** The edges of node n are those from `first[n]` up to `first[n + 1]`. */
export interface Adjacency {
  readonly nodes: number;
  readonly first: Int32Array;
  readonly to: Int32Array;
  readonly label: Uint8Array;
}
