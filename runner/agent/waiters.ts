// SPDX-License-Identifier: MIT
/** The callers that wait for one event. */

import type { Clock } from '../common/clock.ts';

export class Waiters {
  readonly #clock: Clock;
  #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Resolves at the next `settle`, or after `ms`. */
  wait(ms?: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        forget?.();
        this.#waiting.delete(done);
        resolve();
      };
      const forget = ms === undefined ? undefined : this.#clock.after(ms, done);
      this.#waiting.add(done);
    });
  }

  settle(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const done of waiting) done();
  }
}
