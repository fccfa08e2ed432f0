// SPDX-License-Identifier: MIT
/**
 * What a master can do with a client through its accepted socket (section 2, options). Each returns its errno, if any.
 */

import type { Address } from '../common/address.ts';
import { isAssignable, prefixOf } from '../common/address.ts';
import { place } from './bus.ts';
import type { Bus, Endpoint, Errno, Overflow } from './types.ts';

/** BUS_JOIN_BUS */
export function join(accepted: Endpoint): Errno | undefined {
  if (accepted.side !== 'accepted') return 'EINVAL';
  const client = accepted.peer;
  if (client === undefined || client.out) return 'ENOTCONN';
  if (client.joined) return 'EINVAL';
  place(client.bus);
  client.joined = true;
  client.bus.joined.add(client);
  return undefined;
}

/** BUS_ADD_ADDR */
export function addAddress(accepted: Endpoint, address: Address): Errno | undefined {
  if (accepted.side !== 'accepted' || !isAssignable(address)) return 'EINVAL';
  const { bus, peer: client } = accepted;
  if (client === undefined || client.out) return 'ENOTCONN';
  if (bus.holders.has(address)) return 'EADDRINUSE';
  place(bus);
  bus.holders.set(address, client);
  client.addresses.add(address);
  const group = bus.groups.get(prefixOf(address));
  if (group === undefined) bus.groups.set(prefixOf(address), new Set([client]));
  else group.add(client);
  return undefined;
}

/** BUS_DEL_ADDR: a client that is gone holds no address. */
export function delAddress(accepted: Endpoint, address: Address): Errno | undefined {
  if (accepted.side !== 'accepted' || !isAssignable(address)) return 'EINVAL';
  const { bus, peer: client } = accepted;
  if (client === undefined || bus.holders.get(address) !== client) return 'EADDRNOTAVAIL';
  place(bus);
  release(client, address);
  return undefined;
}

/** BUS_SET_EAVESDROP, BUS_UNSET_EAVESDROP: idempotent. */
export function setEavesdrop(accepted: Endpoint, on: boolean): Errno | undefined {
  if (accepted.side !== 'accepted') return 'EINVAL';
  const { bus, peer: client } = accepted;
  if (client === undefined || client.out) return 'ENOTCONN';
  if (!client.joined) return 'EINVAL';
  if (on === bus.eavesdroppers.has(client)) return undefined;
  place(bus);
  if (on) bus.eavesdroppers.add(client);
  else bus.eavesdroppers.delete(client);
  return undefined;
}

/** BUS_SET_OVERFLOW: takes effect at once for the whole bus. */
export function setOverflow(bus: Bus, overflow: Overflow): void {
  place(bus);
  bus.overflow = overflow;
}

/** Section 5: all addresses of a client that is gone are free at once. */
export function releaseAll(client: Endpoint): void {
  for (const address of client.addresses) release(client, address);
}

function release(client: Endpoint, address: Address): void {
  const prefix = prefixOf(address);
  client.bus.holders.delete(address);
  client.addresses.delete(address);
  for (const other of client.addresses) if (prefixOf(other) === prefix) return;
  const group = client.bus.groups.get(prefix);
  group?.delete(client);
  if (group?.size === 0) client.bus.groups.delete(prefix);
}
