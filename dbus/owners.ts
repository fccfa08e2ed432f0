// SPDX-License-Identifier: MIT
/** Who owns the well-known names that rules of this client ask for. */
import { DRIVER } from '../runner/dbus/index.ts';
import type { Received } from './connection.ts';

export class Owners {
  /** Each name that is followed → unique name of its owner, '' without, undefined until it is known. */
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

  /** What the bus has answered. A change that was seen is newer: the bus has sent it after the answer. */
  learn(name: string, owner: string): void {
    if (this.#owners.has(name)) this.#owners.set(name, this.#owners.get(name) ?? owner);
  }

  /** NameOwnerChanged comes in the order of the bus: what comes before it is of the owner before. */
  see({ type, sender, member, args: [name, , owner] }: Received): void {
    if (type !== 'signal' || sender !== DRIVER || member !== 'NameOwnerChanged') return;
    if (this.#owners.has(name?.value as string))
      this.#owners.set(name?.value as string, owner?.value as string);
  }
}
