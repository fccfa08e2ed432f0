// SPDX-License-Identifier: MIT
/** Calls that wait for their replies, so that a caller hears when there will be none. */
import type { Peer } from './peer.ts';

/** A call whose reply is to come. */
export interface Expected {
  readonly caller: Peer;
  readonly serial: number;
  /** The client that must answer. */
  readonly callee: Peer;
  /** Of the limit of its time, if there is one. */
  readonly stopTimer?: () => void;
}

export class Replies {
  /** By caller and serial. */
  readonly #waiting = new Map<Peer, Map<number, Expected>>();

  waiting(caller: Peer): number {
    return this.#waiting.get(caller)?.size ?? 0;
  }

  /** A call with the serial of one that still waits takes its place. */
  expect(expected: Expected): void {
    const { caller, serial } = expected;
    this.#forget(caller, serial);
    const calls = this.#waiting.get(caller) ?? new Map<number, Expected>();
    this.#waiting.set(caller, calls.set(serial, expected));
  }

  /** A reply is delivered; whether the caller waits for one from there. */
  settle(caller: Peer, serial: number, callee: Peer): boolean {
    return this.#waiting.get(caller)?.get(serial)?.callee === callee && this.#forget(caller, serial);
  }

  /** Gives a call up; false if it has been answered. */
  giveUp(caller: Peer, serial: number): boolean {
    return this.#forget(caller, serial);
  }

  /** What a client that has left leaves unanswered. */
  left(gone: Peer): readonly Expected[] {
    for (const serial of this.#waiting.get(gone)?.keys() ?? []) this.#forget(gone, serial);
    return [...this.#waiting.values()].flatMap((calls) =>
      [...calls.values()].filter(({ callee }) => callee === gone),
    );
  }

  #forget(caller: Peer, serial: number): boolean {
    const calls = this.#waiting.get(caller);
    calls?.get(serial)?.stopTimer?.();
    const known = calls?.delete(serial) ?? false;
    if (calls?.size === 0) this.#waiting.delete(caller);
    return known;
  }
}
