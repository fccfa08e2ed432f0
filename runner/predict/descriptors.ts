// SPDX-License-Identifier: MIT
/**
 * How many descriptors of a message a limited client can get. The limit at the time of reading counts, not that at the
 * time of sending. A client that reads by itself has read a step's messages when the step ends. For others it is known
 * between which steps they read, and each limit that was set in between is possible.
 */

import { clientOf, type FaultAction, type ReadingEffect, readingEffect } from '../topology/faults.ts';
import { faults, strands, walk } from '../topology/steps.ts';
import type { ClientSpec, Step, Topology } from '../topology/topology.ts';

/**
 * The numbers of descriptors that the client may get of a message of this step; `carried` is how many the message has.
 */
export type Share = (step: string, carried: number) => readonly number[];

/** Shares of the clients that a step limits; all others get every descriptor. */
export function limitedShares({ clients, steps }: Topology): ReadonlyMap<string, Share> {
  const tops = new Map([...walk(steps)].map(({ step: { id }, top }): [string, number] => [id, top]));
  const limited = new Set(
    [...faults(steps)]
      .map(({ action }) => action)
      .filter(isLimit)
      .map(clientOf),
  );
  const specs = clients.filter(({ name }) => limited.has(name));
  return new Map(
    specs.map((spec) => {
      const reader = new Reader(spec);
      const spans = [...steps.map((step) => reader.during(step)), reader.atTheEnd()];
      return [spec.name, (step, carried) => shares(spans.slice(tops.get(step)), carried)];
    }),
  );
}

type Limit = Extract<FaultAction, { fault: 'limit' }>;
const isLimit = (action: FaultAction): action is Limit => action.fault === 'limit';

/** The faults of a step, as one list per branch. */
const actionsIn = (step: Step): FaultAction[][] =>
  strands([step]).map((list) => [...faults(list)].map(({ action }) => action));

/** A top-level step, or the time after the last one, for one client. */
interface Span {
  readonly limits: ReadonlySet<number>;
  /** Whether the client may read in it. */
  readonly reads: boolean;
  /** Whether the client has read everything when it ends. */
  readonly empties: boolean;
}

/** Counts that are possible from the message's step on, until the message has certainly been read. */
function shares(spans: readonly Span[], carried: number): number[] {
  const counts = new Set<number>();
  for (const { limits, reads, empties } of spans) {
    if (reads) for (const free of limits) counts.add(Math.min(free, carried));
    if (empties) break;
  }
  return [...counts].sort((a, b) => a - b);
}

class Reader {
  readonly #name: string;
  #reading: boolean;
  #paused = false;
  #gone = false;
  /** Set after two concurrent branches have decided whether it reads: the later one is not known. */
  #unknown = false;
  /** Limits of which one is in force; several if concurrent branches set them. */
  #limits: ReadonlySet<number> = new Set([Number.POSITIVE_INFINITY]);

  constructor({ name, receive }: ClientSpec) {
    this.#name = name;
    this.#reading = receive === 'auto';
  }

  during(step: Step): Span {
    const branches = actionsIn(step).map((list) => list.filter((each) => clientOf(each) === this.#name));
    const before = this.#active;
    const limits = this.#limit(branches.map((list) => list.filter(isLimit).map(freeUnder)).filter(isSome));
    const turns = branches.map((list) => list.flatMap((each) => readingEffect(each) ?? [])).filter(isSome);
    this.#unknown ||= turns.length > 1;
    const read = turns.flat().map((effect) => this.#turn(effect));
    const reads = this.#unknown || before || read.includes(true);
    return { limits, reads, empties: !this.#unknown && this.#active };
  }

  /** Applies the limits that each branch sets, in order; returns all limits that may be in force during the step. */
  #limit(branches: readonly (readonly number[])[]): ReadonlySet<number> {
    const meanwhile = new Set([...this.#limits, ...branches.flat()]);
    if (branches.length > 0) this.#limits = new Set(branches.flatMap((list) => list.slice(-1)));
    return meanwhile;
  }

  /** After the last step, each client that still lives reads what is left. */
  atTheEnd(): Span {
    return { limits: this.#limits, reads: !this.#gone, empties: true };
  }

  get #active(): boolean {
    return this.#reading && !this.#paused && !this.#gone;
  }

  /** Applies the effect; returns whether the client reads because of it. */
  #turn(effect: ReadingEffect): boolean {
    if (effect === 'ends') this.#gone = true;
    if (effect === 'pauses') this.#paused = true;
    if (effect === 'resumes') this.#paused = false;
    if (effect === 'stops' || effect === 'reads some') this.#reading = false;
    if (effect === 'reads on') this.#reading = true;
    return this.#active || effect === 'reads some' || effect === 'reads on';
  }
}

const freeUnder = ({ fds }: Limit): number => (fds === 'unlimited' ? Number.POSITIVE_INFINITY : fds);

const isSome = ({ length }: readonly unknown[]): boolean => length > 0;
