// SPDX-License-Identifier: MIT
/**
 * Destinations on AF_BUS (docs/dbus.md section 1): addresses of unique names, and of names that the master has told.
 */
import { type BusAddress, isMulticast, MASTER_ADDRESS, multicastAddress } from '../native/lib/index.ts';
import { DRIVER, isUnique } from '../runner/dbus/index.ts';

const EVERYONE = multicastAddress(0);
/** Maximum number of well-known names whose addresses are kept. */
const CAPACITY = 256;

export class Routes {
  /** Least recently used first. */
  readonly #addresses = new Map<string, BusAddress>();

  /** Signals without a destination go to everyone; unknown names go to the master, which knows them. */
  to(destination: string | undefined): BusAddress {
    if (destination === undefined) return EVERYONE;
    if (destination === DRIVER) return MASTER_ADDRESS;
    if (isUnique(destination)) return addressOf(destination) ?? MASTER_ADDRESS;
    const address = this.#addresses.get(destination);
    if (address === undefined) return MASTER_ADDRESS;
    this.learn(destination, address);
    return address;
  }

  /** Called when the master has forwarded a message to this name: it has this address, under any owner. */
  learn(name: string, address: BusAddress): void {
    this.#addresses.delete(name);
    this.#addresses.set(name, address);
    const [oldest] = this.#addresses.keys();
    if (oldest !== undefined && this.#addresses.size > CAPACITY) this.#addresses.delete(oldest);
  }
}

/** `:0.1f` → `0000/00000000001f`; undefined for a name that no client of an AF_BUS can have. */
function addressOf(name: string): BusAddress | undefined {
  const [, client] = /^:0\.([0-9a-f]{1,12})$/.exec(name) ?? [];
  const address = client && (`0000/${client.padStart(12, '0')}` as const);
  return address && !isMulticast(address) ? address : undefined;
}
