// SPDX-License-Identifier: MIT
/**
 * Which messages an eavesdropper has heard. It hears one twice if the bus passes it on: from its sender, if that had
 * joined by then, and from the bus.
 */

/** More than a queue of this process holds, so that whatever comes again is still among them. */
const MAX_REMEMBERED = 1 << 16;

export class Heard {
  /** Sender and serial of each message, the oldest first. */
  readonly #messages = new Set<string>();

  /** Adds a message that the bus or its true sender has sent; whether the bus repeats one that was heard before. */
  isRepeated(byBus: boolean, sender: string, serial: number): boolean {
    const message = `${sender} ${serial}`;
    const known = this.#messages.delete(message);
    this.#messages.add(message);
    if (this.#messages.size > MAX_REMEMBERED)
      this.#messages.delete(this.#messages.values().next().value as string);
    return known && byBus;
  }
}
