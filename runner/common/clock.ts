// SPDX-License-Identifier: MIT
/** Time and timers as something that is handed down: a simulated run has a clock of its own. */

/** Nanoseconds of the AF_BUS host's CLOCK_MONOTONIC; comparable between all agents of a run. */
export type Time = number;

export interface Clock {
  /** ms since some moment. */
  now(): number;
  /** Calls back once after `ms`; what it returns takes that back. */
  after(ms: number, then: () => void): () => void;
}

// setTimeout fires at once for delays beyond 31 bits.
const LONGEST_TIMER = 2 ** 31 - 1;

/** The machine's own. */
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

/** Aborted after `ms`. */
export function expiring(clock: Clock, ms: number): AbortSignal {
  const controller = new AbortController();
  clock.after(ms, () => controller.abort());
  return controller.signal;
}
