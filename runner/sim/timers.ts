// SPDX-License-Identifier: MIT
/** Tasks for later, the earliest first; of those with the same time, the one that was added first. */

export interface Timer {
  /** ns */
  readonly at: number;
  readonly then: () => void;
  cancelled: boolean;
}

interface Entry {
  readonly timer: Timer;
  readonly order: number;
}

/** A binary heap; a cancelled timer stays in it until its time. */
export class Timers {
  readonly #heap: Entry[] = [];
  #order = 0;

  add(at: number, then: () => void): Timer {
    const timer = { at, then, cancelled: false };
    this.#heap.push({ timer, order: this.#order++ });
    this.#up(this.#heap.length - 1);
    return timer;
  }

  /** The next timer that was not cancelled. */
  first(): Timer | undefined {
    while (this.#heap[0]?.timer.cancelled) this.#drop();
    return this.#heap[0]?.timer;
  }

  /** Removes all timers that are due at `now`, in order. */
  *due(now: number): Generator<Timer> {
    for (let timer = this.first(); timer && timer.at <= now; timer = this.first()) {
      this.#drop();
      yield timer;
    }
  }

  #drop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#down(0);
  }

  #up(i: number): void {
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.#before(i, parent)) return;
      this.#swap(i, parent);
      i = parent;
    }
  }

  #down(i: number): void {
    for (;;) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < this.#heap.length && this.#before(child, least)) least = child;
      }
      if (least === i) return;
      this.#swap(i, least);
      i = least;
    }
  }

  #before(i: number, j: number): boolean {
    const [a, b] = [this.#heap[i] as Entry, this.#heap[j] as Entry];
    return a.timer.at < b.timer.at || (a.timer.at === b.timer.at && a.order < b.order);
  }

  #swap(i: number, j: number): void {
    const kept = this.#heap[i] as Entry;
    this.#heap[i] = this.#heap[j] as Entry;
    this.#heap[j] = kept;
  }
}
