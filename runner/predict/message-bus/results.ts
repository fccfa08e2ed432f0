// SPDX-License-Identifier: MIT
/** Results of calls of the bus, as numbers and as words. */
import {
  type DbusAction,
  RELEASE_RESULTS,
  REQUEST_RESULTS,
  START_RESULTS,
} from '../../topology/message-bus.ts';

/** In the order of their numbers, which count from 1. */
const RESULTS = { own: REQUEST_RESULTS, release: RELEASE_RESULTS, start: START_RESULTS } as const;
export type Asking = keyof typeof RESULTS;

/** Whether the bus answers an action with a result. */
export const isAsking = (verb: string): verb is Asking => Object.hasOwn(RESULTS, verb);

export function codeOf({ do: verb }: DbusAction, result: string): number {
  const words: readonly string[] = isAsking(verb) ? RESULTS[verb] : [];
  return words.indexOf(result) + 1;
}

/** The word for a result of the bus: `owner`, `not-owner`. */
export function resultText(verb: Asking, args: string): string {
  const words: readonly string[] = RESULTS[verb];
  return words[Number(args.slice('u '.length)) - 1] ?? args;
}
