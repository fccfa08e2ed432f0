// SPDX-License-Identifier: MIT
/** The master's socket for one client, through which it sets the client's policy and exchanges messages with it. */

import type { Constants, RawSocket } from './addon.ts';
import { type AddressLike, type BusAddress, formatAddress, toParts } from './address.ts';
import { check } from './errors.ts';
import { loadedAddon } from './load.ts';
import { addMatch, matches, removeAllMatches, removeMatch, setName } from './nfdbus.ts';
import { adoptSocket } from './open.ts';
import type { OwnedFd } from './owned-fd.ts';
import { BusSocket } from './socket.ts';

/**
 * An accepted socket. Each policy call has taken effect when it returns: every message comes before or after it for
 * everyone on the bus. All throw BusError; EINVAL if the socket is not an accepted one.
 */
export class AcceptedClient extends BusSocket {
  #peer: BusAddress | undefined;

  /** Use BusMaster.accept or adopt. */
  constructor(raw: RawSocket) {
    super(raw);
  }

  /** Takes over a descriptor of an accepted socket: inherited, or received with a message. */
  static adopt(fd: number | OwnedFd): AcceptedClient {
    return new AcceptedClient(adoptSocket(fd));
  }

  /** The client's prefix-0 address. Kept after close. */
  get peer(): BusAddress {
    this.#peer ??= this.nameOf(true).address;
    return this.#peer;
  }

  /** Admits the client to the bus. EINVAL if it has joined already, ENOTCONN if it is gone. */
  join(): void {
    this.setBusInt('BUS_JOIN_BUS', 0);
  }

  /** Gives the client an address. EINVAL for prefix 0 and multicast addresses, EADDRINUSE if any client holds it. */
  addAddress(address: AddressLike): void {
    this.#changeAddress('BUS_ADD_ADDR', address);
  }

  /** Takes an address from the client. EADDRNOTAVAIL if the client does not hold it. */
  deleteAddress(address: AddressLike): void {
    this.#changeAddress('BUS_DEL_ADDR', address);
  }

  /** Makes the joined client an eavesdropper, or ends that. Idempotent. */
  setEavesdrop(on: boolean): void {
    this.setBusInt(on ? 'BUS_SET_EAVESDROP' : 'BUS_UNSET_EAVESDROP', 0);
  }

  /**
   * Gives the client of a D-Bus bus a match rule: a multicast that is a D-Bus message reaches it if one of its rules
   * matches. It may have the same rule several times. EINVAL for a text that is no rule; the error contains the `rule`,
   * and says why.
   */
  addMatch(rule: string): void {
    addMatch(this.path, this.peer, rule);
  }

  /** Removes one rule that says the same from the client. ENOENT if it has none. */
  removeMatch(rule: string): void {
    removeMatch(this.path, this.peer, rule);
  }

  /** Removes all rules from the client. */
  removeAllMatches(): void {
    removeAllMatches(this.path, this.peer);
  }

  /** The client's rules, in the order in which they were added. */
  matches(): string[] {
    return matches(this.path, this.peer).map(({ rule }) => rule);
  }

  /**
   * Makes the client the owner of this well-known name; a former owner loses it. Rules with that `sender` refer to the
   * owner.
   */
  setName(name: string): void {
    setName(this.path, this.peer, name);
  }

  /** Whether the client has joined and is still on the bus. */
  get joined(): boolean {
    return this.busInt('BUS_JOIN_BUS') !== 0;
  }

  /** Whether the client's receive queue is full. */
  get queueFull(): boolean {
    return this.busInt('BUS_GET_QLENFULL') !== 0;
  }

  /**
   * Expels the client: it reads what it has queued, then the end; its sends give EPIPE. `close()` leaves it on the bus.
   */
  expel(): void {
    this.shutdown('both');
  }

  protected override rememberNames(): void {
    super.rememberNames();
    void this.peer;
  }

  #changeAddress(option: keyof Constants, address: AddressLike): void {
    const { prefix, client } = toParts(address);
    const result = this.raw.setAddress(loadedAddon().constants[option], prefix, client);
    check(result, `setsockopt ${option}`, { address: formatAddress(prefix, client) });
  }
}
