// SPDX-License-Identifier: MIT
/** Calls that wait for replies, so that a caller can be told when none will come. */
import type { Peer } from './peer.ts';

/** A call that waits for its reply. */
export interface Expected {
  readonly caller: Peer;
  readonly serial: number;
  /** The client that must answer. */
  readonly callee: Peer;
  /** Its timer, if there is a limit. */
  readonly stopTimer?: () => void;
}

export class Replies {
  /** Calls by caller and serial. */
  readonly #waiting = new Map<Peer, Map<number, Expected>>();

  waiting(caller: Peer): number {
    return this.#waiting.get(caller)?.size ?? 0;
  }

  /** Adds a call; it replaces one with the same serial that still waits. */
  expect(expected: Expected): void {
    const { caller, serial } = expected;
    this.#forget(caller, serial);
    const calls = this.#waiting.get(caller) ?? new Map<number, Expected>();
    this.#waiting.set(caller, calls.set(serial, expected));
  }

  /** A reply is delivered; returns whether the caller waits for it. */
  settle(caller: Peer, serial: number, callee: Peer): boolean {
    return this.#waiting.get(caller)?.get(serial)?.callee === callee && this.#forget(caller, serial);
  }

  /** Gives up a call; false if it has been answered. */
  giveUp(caller: Peer, serial: number): boolean {
    return this.#forget(caller, serial);
  }

  /** The calls that a client leaves unanswered when it leaves. */
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
