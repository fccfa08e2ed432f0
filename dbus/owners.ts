// SPDX-License-Identifier: MIT
/** Owners of the well-known names that occur as senders in this client's rules. */
import { DRIVER } from '../runner/dbus/index.ts';
import type { Received } from './connection.ts';

export class Owners {
  /** Each followed name → unique name of its owner; '' if it has none, undefined until that is known. */
  readonly #owners = new Map<string, string | undefined>();

  owns(client: string, name: string): boolean {
    return this.#owners.get(name) === client;
  }

  follow(name: string): void {
    if (!this.#owners.has(name)) this.#owners.set(name, undefined);
  }

  forget(name: string): void {
    this.#owners.delete(name);
  }

  /**
   * Stores the bus's answer. A change that was seen before is at least as new: it came later, or the answer repeats it.
   */
  learn(name: string, owner: string): void {
    if (this.#owners.has(name)) this.#owners.set(name, this.#owners.get(name) ?? owner);
  }

  /** NameOwnerChanged has a place in the order of the bus: earlier messages are from the previous owner. */
  see({ type, sender, member, args: [name, , owner] }: Received): void {
    if (type !== 'signal' || sender !== DRIVER || member !== 'NameOwnerChanged') return;
    if (this.#owners.has(name?.value as string))
      this.#owners.set(name?.value as string, owner?.value as string);
  }
}
