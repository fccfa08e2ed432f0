// SPDX-License-Identifier: MIT
/** Calls that wait for their replies, so that a caller hears when there will be none. */
import type { Peer } from './peer.ts';

/** A call that nobody will answer. */
export interface Unanswered {
  readonly caller: Peer;
  readonly serial: number;
}

export class Replies {
  /** By caller and serial: the client that must answer. */
  readonly #waiting = new Map<Peer, Map<number, Peer>>();

  waiting(caller: Peer): number {
    return this.#waiting.get(caller)?.size ?? 0;
  }

  expect(caller: Peer, serial: number, callee: Peer): void {
    const calls = this.#waiting.get(caller) ?? new Map<number, Peer>();
    this.#waiting.set(caller, calls.set(serial, callee));
  }

  /** A reply is delivered; whether the caller waits for one from there. */
  settle(caller: Peer, serial: number, callee: Peer): boolean {
    return this.#waiting.get(caller)?.get(serial) === callee && this.#forget(caller, serial);
  }

  /** Gives a call up; false if it has been answered. */
  giveUp(caller: Peer, serial: number): boolean {
    return this.#forget(caller, serial);
  }

  /** What a client that has left leaves unanswered. */
  left(gone: Peer): readonly Unanswered[] {
    this.#waiting.delete(gone);
    return [...this.#waiting].flatMap(([caller, calls]) =>
      [...calls].flatMap(([serial, callee]) => (callee === gone ? [{ caller, serial }] : [])),
    );
  }

  #forget(caller: Peer, serial: number): boolean {
    const calls = this.#waiting.get(caller);
    const known = calls?.delete(serial) ?? false;
    if (calls?.size === 0) this.#waiting.delete(caller);
    return known;
  }
}
