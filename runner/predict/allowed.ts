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
  /** What may happen, with the rules that lead to each. */
  readonly possibilities: readonly Possibility[];
}

/** Whether anything is allowed, so that nothing can be wrong. */
export const isOpen = ({ possibilities }: Allowed): boolean =>
  possibilities.some((each) => 'open' in each && each.open === true);

/** One possible outcome of a message. */
export type Possibility =
  | {
      readonly lanes: readonly Lane[];
      readonly may?: readonly Lane[];
      readonly because: string;
      /** Anything may happen: the model does not follow all that is possible. */
      readonly open?: true;
    }
  | { readonly error: string; readonly because: string };

const WATCHING = 'each eavesdropper gets a copy too (section 3.5)';

/**
 * The model's outcome in terms of lanes: all lanes that the message is for. A copy that an eavesdropper missed counts,
 * since the eavesdropper must be told of it. What filters leave of a copy is decided where the message is planned.
 */
export function possibilityOf(state: BusState, outcome: Exclude<Outcome, { wait: unknown }>): Possibility {
  if ('error' in outcome) return outcome;
  const { copies, lost, dropped, because } = outcome;
  const all = [...copies, ...lost, ...dropped];
  const watched = all.some((each) => each.bus.eavesdroppers.size > 0 && each.bus.eavesdroppers.has(each));
  return {
    lanes: all.map((each) => state.laneOf(each)),
    because: watched ? `${because}; ${WATCHING}` : because,
  };
}

export const WOULD_WAIT: Possibility = {
  error: 'EAGAIN',
  because: 'the send needs room and may not wait for it (section 4)',
};

/** Merges all possible outcomes. */
export function allowed(possibilities: readonly Possibility[]): Allowed {
  const delivered = possibilities.flatMap((possibility) => ('lanes' in possibility ? [possibility] : []));
  const failed = possibilities.flatMap((possibility) => ('error' in possibility ? [possibility] : []));
  const because = [...new Set(possibilities.map((possibility) => possibility.because))].join('; or ');
  const errors = [...new Set(failed.map(({ error }) => error))];
  const [first, ...others] = delivered;
  if (first === undefined) return { errors, because, possibilities };
  // Most messages have one possible outcome, perhaps with thousands of lanes: nothing need be compared.
  if (others.length === 0 && first.may === undefined)
    return { delivered: { must: first.lanes, may: [] }, errors, because, possibilities };
  const sets = others.map(({ lanes }) => new Set(lanes));
  const must = new Set(first.lanes.filter((lane) => sets.every((lanes) => lanes.has(lane))));
  const seen = new Set(delivered.flatMap(({ lanes, may = [] }) => [...lanes, ...may]));
  const may = [...seen].filter((lane) => !must.has(lane));
  return { delivered: { must: [...must], may }, errors, because, possibilities };
}

/** The possible outcomes of every message of a step; messages with the same outcomes share one answer. */
export class PossibilitySet {
  readonly #of: Possibility[][] = [];
  readonly #answers = new Map<string, Allowed>();
  #all: Allowed | undefined;

  /** Sets the outcomes of all messages, whatever was added before. */
  setAll(possibilities: readonly Possibility[]): void {
    this.#all = allowed(possibilities);
    this.#of.length = 0;
  }

  add(n: number, possibility: Possibility): void {
    const known = this.#of[n];
    if (known === undefined) this.#of[n] = [possibility];
    else if (!known.some((each) => each === possibility || keyOf(each) === keyOf(possibility)))
      known.push(possibility);
  }

  /** The outcomes of one message. */
  at(n: number): readonly Possibility[] {
    return this.#of[n] ?? [];
  }

  answer(n: number): Allowed | undefined {
    if (this.#all) return this.#all;
    const possibilities = this.at(n);
    const [only] = possibilities;
    if (only === undefined) return undefined;
    if (possibilities.length === 1) return certain(only);
    const key = possibilities.map(keyOf).join('|');
    const answer = this.#answers.get(key) ?? allowed(possibilities);
    this.#answers.set(key, answer);
    return answer;
  }
}

const certainties = new WeakMap<Possibility, Allowed>();
/** The answer for a single possible outcome. */
function certain(possibility: Possibility): Allowed {
  const known = certainties.get(possibility) ?? allowed([possibility]);
  certainties.set(possibility, known);
  return known;
}

const keys = new WeakMap<Possibility, string>();
function keyOf(possibility: Possibility): string {
  const key =
    keys.get(possibility) ??
    JSON.stringify(
      'error' in possibility ? possibility.error : [possibility.lanes, possibility.may, possibility.because],
    );
  keys.set(possibility, key);
  return key;
}
