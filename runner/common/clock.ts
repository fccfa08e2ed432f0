// SPDX-License-Identifier: MIT
/** Time and timers as a parameter, because a simulated run has its own clock. */

/** Nanoseconds of the AF_BUS host's CLOCK_MONOTONIC; comparable between all agents of a run. */
export type Time = number;

export interface Clock {
  /** ms since some moment. */
  now(): number;
  /** Calls `then` once after `ms`; returns a function that cancels it. */
  after(ms: number, then: () => void): () => void;
}

// setTimeout fires at once for delays of more than 31 bits.
const LONGEST_TIMER = 2 ** 31 - 1;

/** The clock of this machine. */
export const wallClock: Clock = {
  now: () => performance.now(),
  after(ms, then) {
    const timer = setTimeout(then, Math.min(ms, LONGEST_TIMER));
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`. */
export const sleep = (clock: Clock, ms: number): Promise<void> =>
  new Promise((resolve) => void clock.after(ms, resolve));

/** A signal that is aborted after `ms`. */
export function expiring(clock: Clock, ms: number): AbortSignal {
  const controller = new AbortController();
  clock.after(ms, () => controller.abort());
  return controller.signal;
}
