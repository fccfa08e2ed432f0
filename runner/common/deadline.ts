// SPDX-License-Identifier: MIT
/** The one deadline of a run, handed down from the command line to every wait. */

import { runInNewContext } from 'node:vm';
import { type Clock, wallClock } from './clock.ts';
import { Interrupted, RunTimeout } from './errors.ts';

/** ms that a run has if the user says nothing else. */
export const DEFAULT_RUN_TIME = 120_000;

/** A point in time, and how to give up at it. */
export class Deadline {
  /** ms that it was set to, for messages. */
  readonly total: number;
  #at: number;
  readonly #clock: Clock;
  readonly #outer: Deadline | undefined;

  constructor(ms: number, clock: Clock = wallClock, outer?: Deadline) {
    this.total = ms;
    this.#clock = clock;
    this.#at = clock.now() + ms;
    this.#outer = outer;
  }

  /**
   * The same for a run that has a clock of its own: it has all of the time there, and what is left of it here. A
   * simulated clock may stand still while the machine works.
   */
  on(clock: Clock): Deadline {
    return clock === this.#clock ? this : new Deadline(this.total, clock, this);
  }

  /** What `work` takes does not count; no wait may have this deadline meanwhile. */
  async without<T>(work: () => Promise<T>): Promise<T> {
    const began = this.#clock.now();
    try {
      return await work();
    } finally {
      this.#at += this.#clock.now() - began;
    }
  }

  /** ms left, 0 once it has passed. */
  #left(): number {
    return Math.max(0, this.#at - this.#clock.now());
  }

  /** Throws once it has passed: for work that lets no timer fire. */
  check(what: string): void {
    if (this.#left() === 0) throw this.timeout(what);
  }

  /**
   * Result of work that lets no timer fire and no handler run: it is ended wherever it is, without its `finally`, by this
   * deadline, which passes on the machine's clock, and by Ctrl-C where a handler keeps that from ending the process.
   */
  during<T>(what: string, work: () => T): T {
    const timeout = Math.ceil(this.#left());
    if (timeout === 0) throw this.timeout(what);
    const breakOnSigint = process.listenerCount('SIGINT') > 0;
    try {
      return runInNewContext('work()', { work }, { timeout, breakOnSigint }) as T;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw this.timeout(what);
      if (code !== 'ERR_SCRIPT_EXECUTION_INTERRUPTED') throw error;
      process.emit('SIGINT'); // the handler was not told
      throw interrupted(what);
    }
  }

  /** The error of a wait for `what` that this deadline ended. */
  timeout(what: string): RunTimeout {
    return new RunTimeout(
      `${this.total / 1000} s have passed while waiting for ${what}`,
      'if the machine is slow, raise --timeout; else look at what it waited for',
    );
  }

  /** Calls `then` when the deadline passes or `signal` is aborted, unless disposed before. */
  onEnd(signal: AbortSignal | undefined, then: (why: 'timeout' | 'interrupted') => void): Disposable {
    const forget = this.#clock.after(this.#left(), () => then('timeout'));
    const outer = this.#outer?.onEnd(undefined, then);
    const interrupt = () => then('interrupted');
    if (signal?.aborted) queueMicrotask(interrupt);
    else signal?.addEventListener('abort', interrupt, { once: true });
    return {
      [Symbol.dispose]() {
        forget();
        outer?.[Symbol.dispose]();
        signal?.removeEventListener('abort', interrupt);
      },
    };
  }

  /** Result of `work`, or RunTimeout naming `what`, or Interrupted; the work's own end is then nobody's concern. */
  async race<T>(what: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const ended = Promise.withResolvers<never>();
    // It also rejects if nobody has come to wait for it.
    ended.promise.catch(() => {});
    using _ = this.onEnd(signal, (why) => {
      ended.reject(why === 'timeout' ? this.timeout(what) : interrupted(what));
    });
    if (signal?.aborted) throw interrupted(what);
    const result = work();
    result.catch(() => {}); // may fail after the race was lost
    return await Promise.race([result, ended.promise]);
  }
}

/** The error of a wait for `what` that the user ended. */
export const interrupted = (what: string): Interrupted =>
  new Interrupted(`interrupted while waiting for ${what}`, 'nothing of the run is left; start it again');
