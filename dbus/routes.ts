// SPDX-License-Identifier: MIT
/** Where messages go on AF_BUS (docs/dbus.md section 1): addresses of unique names, and those that the master has told. */
import { type BusAddress, isMulticast, MASTER_ADDRESS, multicastAddress } from '../native/lib/index.ts';
import { DRIVER, isUnique } from '../runner/dbus/index.ts';

const EVERYONE = multicastAddress(0);
/** Well-known names whose addresses are kept. */
const CAPACITY = 256;

export class Routes {
  /** The name that was used last is the last one. */
  readonly #addresses = new Map<string, BusAddress>();

  /** Signals without a destination go to everyone; a name that is not known goes to the master, which knows it. */
  to(destination: string | undefined): BusAddress {
    if (destination === undefined) return EVERYONE;
    if (destination === DRIVER) return MASTER_ADDRESS;
    if (isUnique(destination)) return addressOf(destination) ?? MASTER_ADDRESS;
    const address = this.#addresses.get(destination);
    if (address === undefined) return MASTER_ADDRESS;
    this.learn(destination, address);
    return address;
  }

  /** The master has forwarded a message to this name, which has this address, under any owner. */
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
