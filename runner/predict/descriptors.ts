// SPDX-License-Identifier: MIT
/**
 * How many descriptors a limited client can have of a message: what counts is the limit when it reads, not when
 * somebody sends. Who reads by itself has read a step's messages when the step ends; of others it is known between
 * which steps they read, and each limit from the first to the last of them may be the one.
 */

import { clientOf, type FaultAction, type ReadingEffect, readingEffect } from '../topology/faults.ts';
import { faults, strands, walk } from '../topology/steps.ts';
import type { ClientSpec, Step, Topology } from '../topology/topology.ts';

/** How many descriptors of a message of this step, which carries that many, the client may get: each number that is right. */
export type Share = (step: string, carried: number) => readonly number[];

/** Those of the clients that a step limits; all others get whatever is carried. */
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

/** Its faults: a list for each branch. */
const actionsIn = (step: Step): FaultAction[][] =>
  strands([step]).map((list) => [...faults(list)].map(({ action }) => action));

/** One top-level step, or what comes after the last, as a client sees it. */
interface Span {
  readonly limits: ReadonlySet<number>;
  /** It may read then. */
  readonly reads: boolean;
  /** When that ends it has read all there is. */
  readonly empties: boolean;
}

/** From its step on, up to where it has surely been read. */
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
  /** Two branches decided whether it reads, and nobody knows which came last. */
  #unknown = false;
  /** Those of which one is in force: more than one where several branches set it. */
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

  /** What each branch sets, in its order; returns all that may be in force meanwhile. */
  #limit(branches: readonly (readonly number[])[]): ReadonlySet<number> {
    const meanwhile = new Set([...this.#limits, ...branches.flat()]);
    if (branches.length > 0) this.#limits = new Set(branches.flatMap((list) => list.slice(-1)));
    return meanwhile;
  }

  /** Each client that still lives reads what is left. */
  atTheEnd(): Span {
    return { limits: this.#limits, reads: !this.#gone, empties: true };
  }

  get #active(): boolean {
    return this.#reading && !this.#paused && !this.#gone;
  }

  /** Whether it reads because of that. */
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
