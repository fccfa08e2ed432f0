// SPDX-License-Identifier: MIT
/** Every answer that the run waits for, in one place: so that a timeout can name them and an error end them all. */

import type { OrderResult } from '../agent/protocol.ts';
import type { Step } from '../load/topology.ts';

/** What an order is for, in words that fit behind "waiting for". */
export interface Purpose {
  readonly what: string;
  readonly step?: Step;
}

/** `gone`: the agent ended, as the run wanted, before it answered. */
export type Answer = OrderResult & { readonly gone?: boolean; readonly socketsLeft?: number | null };

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

export class Waits {
  readonly #waits = new Map<string, Wait>();
  #ended: Error | null = null;

  /** Resolves with what `settle` gives for this key; rejects with what ended the run. */
  add(key: Key, purpose: Purpose): Promise<Answer> {
    if (this.#ended) return Promise.reject(this.#ended);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    promise.catch(() => {}); // of several waits that an error ends, the first that is awaited tells it
    this.#waits.set(text(key), { who: key.who, ...purpose, resolve, reject });
    return promise;
  }

  /** Takes the wait out; undefined where nobody waits for this. */
  take(key: Key): Wait | undefined {
    const wait = this.#waits.get(text(key));
    this.#waits.delete(text(key));
    return wait;
  }

  /** Answers everything that `who` owes with `gone`. */
  gone(who: string): void {
    for (const [key, wait] of this.#waits) {
      if (wait.who !== who) continue;
      this.#waits.delete(key);
      wait.resolve({ gone: true });
    }
  }

  /** Ends every wait, and each one that follows, with this error; the first error stays. */
  end(error: Error): void {
    if (this.#ended) return;
    this.#ended = error;
    for (const { reject } of this.#waits.values()) reject(error);
    this.#waits.clear();
  }

  /** Lets new waits be after `end`: for taking down. */
  reopen(): void {
    this.#ended = null;
  }

  /** What is waited for now, oldest first. */
  list(): readonly Purpose[] {
    return [...this.#waits.values()];
  }
}

const text = ({ who, answer }: Key) => `${who} ${answer}`;
