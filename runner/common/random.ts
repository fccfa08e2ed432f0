// SPDX-License-Identifier: MIT
/** Random numbers from a seed, the same on every machine. */

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to less than `n`. */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) % n;
  }

  /** True once in `n` times, on average. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  /** One of these; the list must not be empty. */
  pick<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T;
  }

  /** Evenly distributed over orders of magnitude: from `least` to less than twice `most`. */
  magnitude(least: number, most: number): number {
    const doublings = Math.max(0, Math.floor(Math.log2(most / least)));
    const scale = least * 2 ** this.below(doublings + 1);
    return scale + this.below(scale);
  }
}
