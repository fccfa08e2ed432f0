// SPDX-License-Identifier: MIT
/**
 * Waits on one socket: two queues of attempts, which are retried in order when the addon reports an edge.
 *
 * Each attempt is made before it waits. An edge that came before the attempt is not needed; one that comes after it
 * stays in the socket's own epoll set until this thread is back in its event loop.
 */
import type { Addon, RawPolled } from './addon.ts';
import { check } from './errors.ts';
import { takeTurn } from './turn.ts';
import type { Interrupt } from './types.ts';

/** The result of an attempt that would have to wait. */
export const BLOCKED = Symbol('blocked');

/** The result of an attempt that has more to do at once. */
export const AGAIN = Symbol('again');

export type Attempt<T> = () => T | typeof BLOCKED | typeof AGAIN;

export type Direction = 'in' | 'out';

interface Waiter {
  readonly attempt: Attempt<unknown>;
  readonly resolve: (value: never) => void;
  readonly reject: (reason: unknown) => void;
  /** Removes the listener from the signal. */
  readonly forget: () => void;
}

export class Readiness {
  readonly #raw: RawPolled;
  readonly #bits: Record<Direction | 'end', number>;
  readonly #queues: Record<Direction, Waiter[]> = { in: [], out: [] };
  /** Directions in which the kernel told the first waiter to wait. */
  readonly #blocked: Record<Direction, boolean> = { in: false, out: false };
  #onEnd: (() => void) | undefined;
  /** Called after each change in what waits. */
  onChange: (() => void) | undefined;

  constructor(addon: Addon, raw: RawPolled) {
    this.#raw = raw;
    this.#bits = { in: addon.READY_IN, out: addon.READY_OUT, end: addon.READY_END };
    raw.onready = (events) => this.#wake(events);
  }

  /** Number of attempts without a result. */
  waiting(direction: Direction): number {
    return this.#queues[direction].length;
  }

  blocked(direction: Direction): boolean {
    return this.#blocked[direction];
  }

  /**
   * Resolves with the attempt's result, after the attempts before it; rejects with what it throws, or the abort reason.
   */
  run<T>(direction: Direction, attempt: Attempt<T>, signal?: Interrupt): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const queue = this.#queues[direction];
    let blocked = false;
    if (queue.length === 0 && takeTurn(1)) {
      try {
        const result = attempt();
        if (result !== BLOCKED && result !== AGAIN) return Promise.resolve(result);
        blocked = result === BLOCKED;
      } catch (error) {
        return Promise.reject(error);
      }
    }
    return new Promise<T>((resolve, reject) => {
      const abort = (): void => this.#drop(direction, waiter, signal?.reason);
      const forget = (): void => signal?.removeEventListener('abort', abort);
      const waiter: Waiter = { attempt, resolve, reject, forget };
      signal?.addEventListener('abort', abort, { once: true });
      queue.push(waiter);
      if (blocked) this.#park(direction, waiter);
      else if (queue.length === 1) this.#later(direction);
      this.#changed();
    });
  }

  /** Calls back once on hang-up or error; does not keep the process alive for that. */
  watchEnd(onEnd: () => void): void {
    this.#onEnd = onEnd;
    try {
      this.#arm();
    } catch (error) {
      this.#onEnd = undefined;
      throw error;
    }
    if (this.#raw.poll() & this.#bits.end) this.#wake(this.#bits.end);
  }

  /** For the close of the socket, after which no attempt blocks: runs all attempts that wait. */
  flush(): void {
    this.#onEnd = undefined;
    this.#blocked.in = this.#blocked.out = false;
    for (const direction of ['out', 'in'] as const) {
      for (const waiter of this.#queues[direction].splice(0)) this.#settle(waiter);
    }
    this.#changed();
  }

  #wake(events: number): void {
    if (events & this.#bits.out) this.#retry('out');
    if (events & this.#bits.in) this.#retry('in');
    if (events & this.#bits.end && this.#onEnd) {
      const onEnd = this.#onEnd;
      this.#onEnd = undefined;
      this.#arm();
      onEnd();
    }
  }

  #retry(direction: Direction): void {
    const queue = this.#queues[direction];
    for (let waiter = queue[0]; waiter; waiter = queue[0]) {
      if (!takeTurn(1)) {
        this.#block(direction, false);
        this.#later(direction);
        break;
      }
      const left = this.#settle(waiter);
      if (left === BLOCKED) {
        this.#park(direction, waiter);
        break;
      }
      if (left !== AGAIN) queue.shift();
    }
    if (queue.length === 0) this.#block(direction, false);
    this.#changed();
  }

  /** Makes the attempt; returns how the waiter goes on, if it does. */
  #settle(waiter: Waiter): typeof BLOCKED | typeof AGAIN | undefined {
    try {
      const result = waiter.attempt();
      if (result === BLOCKED || result === AGAIN) return result;
      waiter.resolve(result as never);
    } catch (error) {
      waiter.reject(error);
    }
    waiter.forget();
    return undefined;
  }

  #drop(direction: Direction, waiter: Waiter, reason: unknown): void {
    const queue = this.#queues[direction];
    const index = queue.indexOf(waiter);
    if (index < 0) return;
    queue.splice(index, 1);
    waiter.forget();
    waiter.reject(reason);
    // If the first waiter was dropped, the next one may have another recipient and need not wait.
    if (index === 0) {
      this.#block(direction, false);
      if (queue.length > 0) this.#later(direction);
    }
    this.#changed();
  }

  /** Waits for the kernel; the waiter fails if the process has no free descriptor to wait with. */
  #park(direction: Direction, waiter: Waiter): void {
    try {
      this.#block(direction, true);
    } catch (error) {
      this.#drop(direction, waiter, error);
    }
  }

  #block(direction: Direction, blocked: boolean): void {
    this.#blocked[direction] = blocked;
    this.#arm();
  }

  #arm(): void {
    const { in: reading, out: writing } = this.#blocked;
    const { in: inBit, out: outBit, end } = this.#bits;
    const events = (reading ? inBit : 0) | (writing ? outBit : 0) | (this.#onEnd ? end : 0);
    check(this.#raw.want(events), 'epoll_ctl');
  }

  #later(direction: Direction): void {
    setImmediate(() => this.#retry(direction));
  }

  #changed(): void {
    this.onChange?.();
  }
}
