// SPDX-License-Identifier: MIT
/** Every answer that the run waits for, in one place, so that a timeout can name them and an error can end them all. */

import type { OrderResult } from '../agent/protocol.ts';
import type { Clock, Time } from '../common/clock.ts';
import type { Place, Step } from '../topology/topology.ts';

/** What an order is for, as words that follow "waiting for". */
export interface Purpose {
  readonly what: string;
  readonly step?: Step;
  /** The line of the file that asks for it, if no step does. */
  readonly place?: Place;
  /** No longer wanted when the agent is paused. */
  readonly untilPaused?: true;
}

/** `gone`: before it answered, the agent ended or was paused, as the run wanted. */
export type Answer = OrderResult & {
  readonly gone?: boolean;
  readonly socketsLeft?: number | null;
  /** Just before the order was carried out, and just after it. */
  readonly began?: Time;
  readonly t?: Time;
};

/** Who answers (an agent or a node), and what identifies the answer. */
export interface Key {
  readonly who: string;
  readonly answer: number | string;
}

interface Wait extends Purpose {
  readonly who: string;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** Not the name of an agent or node: those contain no space. */
const CLOCK = 'the clock';
const EVENTS = 'the events';

export class Waits {
  /** Waits for each key, oldest first. A key may have several: two faults may end the same process. */
  readonly #waits = new Map<string, Wait[]>();
  #ended: Error | null = null;
  #sleeps = 0;
  #events = 0;
  readonly #end = Promise.withResolvers<never>();

  constructor() {
    this.over.catch(() => {});
  }

  /** Rejects with the error that ended the run. */
  get over(): Promise<never> {
    return this.#end.promise;
  }

  /** Resolves with the value that `settle` gets for this key; rejects with the error that ended the run. */
  add(key: Key, purpose: Purpose): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    promise.catch(() => {}); // if an error ends several waits, the first that is awaited reports it
    if (this.#ended) {
      reject(this.#ended);
      return promise;
    }
    const wait = { who: key.who, ...purpose, resolve, reject };
    const same = this.#waits.get(text(key));
    if (same) same.push(wait);
    else this.#waits.set(text(key), [wait]);
    return promise;
  }

  /** Resolves after `ms`; rejects with the error that ended the run. */
  async sleep(clock: Clock, ms: number, purpose: Purpose): Promise<void> {
    const key = { who: CLOCK, answer: ++this.#sleeps };
    const forget = clock.after(ms, () => this.take(key)?.resolve({}));
    try {
      await this.add(key, purpose);
    } finally {
      forget();
    }
  }

  /** Resolves with `event`; rejects with the error that ended the run. */
  async until(event: Promise<void>, purpose: Purpose): Promise<void> {
    const key = { who: EVENTS, answer: ++this.#events };
    const wait = this.add(key, purpose);
    void event.then(() => this.take(key)?.resolve({}));
    await wait;
  }

  /** Removes the oldest wait for this key; undefined if there is none. */
  take(key: Key): Wait | undefined {
    const same = this.#waits.get(text(key));
    const oldest = same?.shift();
    if (same?.length === 0) this.#waits.delete(text(key));
    return oldest;
  }

  /** Answers every wait for `who` with `gone`. */
  gone(who: string): void {
    for (const [key, [first]] of this.#waits) {
      if (first?.who === who) for (const { resolve } of this.#takeAll(key)) resolve({ gone: true });
    }
  }

  /** The same for waits that are no longer wanted from a paused agent. Its answers are ignored when it continues. */
  paused(who: string): void {
    for (const [key, waits] of this.#waits) {
      if (waits.every((wait) => wait.who === who && wait.untilPaused))
        for (const { resolve } of this.#takeAll(key)) resolve({ gone: true });
    }
  }

  /** Ends every wait, and each later one, with this error; only the first error counts. */
  end(error: Error): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#end.reject(error);
    for (const key of this.#waits.keys()) for (const { reject } of this.#takeAll(key)) reject(error);
  }

  /** Allows new waits after `end`, to take the lab down. */
  reopen(): void {
    this.#ended = null;
  }

  /** Everything that is awaited now. */
  list(): readonly Purpose[] {
    return [...this.#waits.values()].flat();
  }

  #takeAll(key: string): readonly Wait[] {
    const all = this.#waits.get(key) ?? [];
    this.#waits.delete(key);
    return all;
  }
}

const text = ({ who, answer }: Key) => `${who} ${answer}`;
