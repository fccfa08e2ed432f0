// SPDX-License-Identifier: MIT
/** Every answer that the run waits for, in one place: so that a timeout can name them and an error end them all. */

import type { OrderResult } from '../agent/protocol.ts';
import type { Clock, Time } from '../common/clock.ts';
import type { Place, Step } from '../topology/topology.ts';

/** What an order is for, in words that fit after "waiting for". */
export interface Purpose {
  readonly what: string;
  readonly step?: Step;
  /** Of the line of the file that asks for it, if no step does. */
  readonly place?: Place;
  /** Of an agent that is paused nothing is wanted any more. */
  readonly untilPaused?: true;
}

/** `gone`: the agent ended, or was paused, as the run wanted, before it answered. */
export type Answer = OrderResult & {
  readonly gone?: boolean;
  readonly socketsLeft?: number | null;
  readonly began?: Time;
};

/** Who answers, an agent or a node, and what the answer will be known by. */
export interface Key {
  readonly who: string;
  readonly answer: number | string;
}

interface Wait extends Purpose {
  readonly who: string;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** No name of an agent or a node has a space. */
const CLOCK = 'the clock';
const EVENTS = 'the events';

export class Waits {
  /** Nobody promises that a key is waited for once: two faults may end the same process. Oldest first. */
  readonly #waits = new Map<string, Wait[]>();
  #ended: Error | null = null;
  #sleeps = 0;
  #events = 0;
  readonly #end = Promise.withResolvers<never>();

  constructor() {
    this.over.catch(() => {});
  }

  /** Rejects with what ended the run. */
  get over(): Promise<never> {
    return this.#end.promise;
  }

  /** Resolves with what `settle` gives for this key; rejects with what ended the run. */
  add(key: Key, purpose: Purpose): Promise<Answer> {
    if (this.#ended) return Promise.reject(this.#ended);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    promise.catch(() => {}); // of several waits that an error ends, the first that is awaited tells it
    const wait = { who: key.who, ...purpose, resolve, reject };
    this.#waits.set(text(key), [...(this.#waits.get(text(key)) ?? []), wait]);
    return promise;
  }

  /** Resolves after `ms`; rejects with what ended the run. */
  async sleep(clock: Clock, ms: number, purpose: Purpose): Promise<void> {
    const key = { who: CLOCK, answer: ++this.#sleeps };
    const forget = clock.after(ms, () => this.take(key)?.resolve({}));
    try {
      await this.add(key, purpose);
    } finally {
      forget();
    }
  }

  /** Resolves with `event`; rejects with what ended the run. */
  async until(event: Promise<void>, purpose: Purpose): Promise<void> {
    const key = { who: EVENTS, answer: ++this.#events };
    const wait = this.add(key, purpose);
    void event.then(() => this.take(key)?.resolve({}));
    await wait;
  }

  /** Takes out the wait that is the oldest for this; undefined where nobody waits for it. */
  take(key: Key): Wait | undefined {
    const [oldest, ...others] = this.#waits.get(text(key)) ?? [];
    if (others.length > 0) this.#waits.set(text(key), others);
    else this.#waits.delete(text(key));
    return oldest;
  }

  /** Answers everything that `who` owes with `gone`. */
  gone(who: string): void {
    for (const [key, [first]] of this.#waits) {
      if (first?.who === who) for (const { resolve } of this.#takeAll(key)) resolve({ gone: true });
    }
  }

  /** The same, of what is not wanted from one that is paused. Its answer comes to nothing once it goes on. */
  paused(who: string): void {
    for (const [key, waits] of this.#waits) {
      if (waits.every((wait) => wait.who === who && wait.untilPaused))
        for (const { resolve } of this.#takeAll(key)) resolve({ gone: true });
    }
  }

  /** Ends every wait, and each one that follows, with this error; the first error stays. */
  end(error: Error): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#end.reject(error);
    for (const key of this.#waits.keys()) for (const { reject } of this.#takeAll(key)) reject(error);
  }

  /** Lets new waits be after `end`: for taking down. */
  reopen(): void {
    this.#ended = null;
  }

  /** What is waited for now. */
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
