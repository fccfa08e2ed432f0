// SPDX-License-Identifier: MIT
/** The deadline of a run, which the command line passes to every wait. */

import { runInNewContext } from 'node:vm';
import { type Clock, wallClock } from './clock.ts';
import { Interrupted, RunTimeout } from './errors.ts';

/** Default time of a run, in ms. */
export const DEFAULT_RUN_TIME = 120_000;

/** A point in time, and how to give up at it. */
export class Deadline {
  /** The time that it was set to, in ms, for messages. */
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
   * The same for a run with its own clock: it has the whole time on that clock, and the rest of this deadline on the
   * machine's clock. A simulated clock may stand still while the machine works.
   */
  on(clock: Clock): Deadline {
    return clock === this.#clock ? this : new Deadline(this.total, clock, this);
  }

  /** Does not count the time that `work` takes; no wait may use this deadline meanwhile. */
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

  /** Throws if it has passed; for work that lets no timer fire. */
  check(what: string): void {
    if (this.#left() === 0) throw this.timeout(what);
  }

  /**
   * The result of work that lets no timer fire and no handler run. This deadline, on the machine's clock, ends the work
   * wherever it is, without its `finally`. So does Ctrl-C if a handler keeps it from ending the process.
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
      process.emit('SIGINT'); // Ctrl-C has ended the work before its handler could run
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

  /** The result of `work`; else throws RunTimeout naming `what`, or Interrupted. The end of `work` is ignored then. */
  async race<T>(what: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const ended = Promise.withResolvers<never>();
    // It may reject before the race waits for it.
    ended.promise.catch(() => {});
    using _ = this.onEnd(signal, (why) => {
      ended.reject(why === 'timeout' ? this.timeout(what) : interrupted(what));
    });
    if (signal?.aborted) throw interrupted(what);
    const result = work();
    result.catch(() => {}); // it may fail after the race has ended
    return await Promise.race([result, ended.promise]);
  }
}

/** The error of a wait for `what` that the user ended. */
export const interrupted = (what: string): Interrupted =>
  new Interrupted(`interrupted while waiting for ${what}`, 'nothing of the run is left; start it again');
