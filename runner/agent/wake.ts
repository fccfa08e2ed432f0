// SPDX-License-Identifier: MIT
/** Ends the wait of a lane's read, so that the lane looks around. */

/**
 * An abort signal for one reader after another. An AbortSignal would do, but it takes longer to add a listener to one,
 * and to remove it, than to read the messages that a crowd's socket holds.
 */
export class Wake {
  aborted = false;
  /** What the read that waits rejects with. */
  readonly reason: unknown;
  #listener: (() => void) | undefined;

  constructor(reason: unknown) {
    this.reason = reason;
  }

  addEventListener(_: 'abort', listener: () => void): void {
    this.#listener = listener;
  }

  removeEventListener(_: 'abort', listener: () => void): void {
    if (this.#listener === listener) this.#listener = undefined;
  }

  abort(): void {
    this.aborted = true;
    this.#listener?.();
  }
}
