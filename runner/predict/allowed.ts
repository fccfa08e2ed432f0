// SPDX-License-Identifier: MIT
/** What may happen to one message: who must and who may get it, and the errors with which it may fail. */
import type { Outcome } from '../model/index.ts';
import type { Lane } from '../topology/lane.ts';
import type { BusState } from './bus-state.ts';

export interface Allowed {
  /** Absent if the send cannot succeed. */
  readonly delivered?: {
    readonly must: readonly Lane[];
    /** Lanes that may or may not get a copy. */
    readonly may: readonly Lane[];
  };
  readonly errors: readonly string[];
  /** The rules that lead to it, with their sections of the contract. */
  readonly because: string;
}

/** One possible outcome of a message. */
export type Possibility =
  | { readonly lanes: readonly Lane[]; readonly may?: readonly Lane[]; readonly because: string }
  | { readonly error: string; readonly because: string };

const WATCHING = 'each eavesdropper gets a copy too (section 3.5)';

/**
 * The model's outcome in terms of lanes: all lanes that the message is for. A copy that an eavesdropper missed counts,
 * since the eavesdropper must be told of it. What filters leave of a copy is decided where the message is planned.
 */
export function possibilityOf(world: BusState, outcome: Exclude<Outcome, { wait: unknown }>): Possibility {
  if ('error' in outcome) return outcome;
  const { copies, lost, dropped, because } = outcome;
  const all = [...copies, ...lost, ...dropped];
  const watched = all.some((each) => each.bus.eavesdroppers.size > 0 && each.bus.eavesdroppers.has(each));
  return {
    lanes: all.map((each) => world.laneOf(each)),
    because: watched ? `${because}; ${WATCHING}` : because,
  };
}

export const WOULD_WAIT: Possibility = {
  error: 'EAGAIN',
  because: 'the send needs space and may not wait for it (section 4)',
};

/** Merges all possible outcomes. */
export function allowed(ways: readonly Possibility[]): Allowed {
  const delivered = ways.flatMap((way) => ('lanes' in way ? [way] : []));
  const failed = ways.flatMap((way) => ('error' in way ? [way] : []));
  const because = [...new Set(ways.map((way) => way.because))].join('; or ');
  const errors = [...new Set(failed.map(({ error }) => error))];
  const [first, ...others] = delivered;
  if (first === undefined) return { errors, because };
  // Most messages have one possible outcome, perhaps with thousands of lanes: nothing need be compared.
  if (others.length === 0 && first.may === undefined)
    return { delivered: { must: first.lanes, may: [] }, errors, because };
  const sets = others.map(({ lanes }) => new Set(lanes));
  const must = new Set(first.lanes.filter((lane) => sets.every((lanes) => lanes.has(lane))));
  const seen = new Set(delivered.flatMap(({ lanes, may = [] }) => [...lanes, ...may]));
  const may = [...seen].filter((lane) => !must.has(lane));
  return { delivered: { must: [...must], may }, errors, because };
}

/** The possible outcomes of every message of a step; messages with the same outcomes share one answer. */
export class PossibilitySet {
  readonly #of: Possibility[][] = [];
  readonly #answers = new Map<string, Allowed>();
  #all: Allowed | undefined;

  /** Sets the outcomes of all messages, whatever was added before. */
  say(ways: readonly Possibility[]): void {
    this.#all = allowed(ways);
    this.#of.length = 0;
  }

  add(n: number, way: Possibility): void {
    const known = this.#of[n];
    if (known === undefined) this.#of[n] = [way];
    else if (!known.some((each) => each === way || keyOf(each) === keyOf(way))) known.push(way);
  }

  /** The outcomes of one message. */
  at(n: number): readonly Possibility[] {
    return this.#of[n] ?? [];
  }

  answer(n: number): Allowed | undefined {
    if (this.#all) return this.#all;
    const ways = this.at(n);
    const [only] = ways;
    if (only === undefined) return undefined;
    if (ways.length === 1) return certain(only);
    const key = ways.map(keyOf).join('|');
    const answer = this.#answers.get(key) ?? allowed(ways);
    this.#answers.set(key, answer);
    return answer;
  }
}

const certainties = new WeakMap<Possibility, Allowed>();
/** The answer for a single possible outcome. */
function certain(way: Possibility): Allowed {
  const known = certainties.get(way) ?? allowed([way]);
  certainties.set(way, known);
  return known;
}

const keys = new WeakMap<Possibility, string>();
function keyOf(way: Possibility): string {
  const key = keys.get(way) ?? JSON.stringify('error' in way ? way.error : [way.lanes, way.may, way.because]);
  keys.set(way, key);
  return key;
}
