// SPDX-License-Identifier: MIT
/** Addresses of AF_BUS as text (af_bus.md section 1). */

/** `pppp/cccccccccccc` in lower-case hex, without a path. */
export type Address = string;

export const MASTER: Address = '0000/000000000000';
/** Held by no client: a message to it takes the default route (section 3.3). */
export const NOBODYS: Address = '0000/fffffffffffe';
/** Every joined client. */
export const EVERYONE: Address = '0000/ffffffffffff';

const KERNEL_PREFIX = '0000';
const MULTICAST = 'ffffffffffff';
/** The highest client part that is no multicast address. */
const MAX_CLIENT = 0xffff_ffff_fffen;

export const prefixOf = (address: Address): string => address.slice(0, 4);

export const isMulticast = (address: Address): boolean => address.endsWith(MULTICAST);

/** A master can assign and remove it: it has neither prefix 0 nor a multicast client part (af_bus.md section 2). */
export const isAssignable = (address: Address): boolean =>
  prefixOf(address) !== KERNEL_PREFIX && !isMulticast(address);

/** The prefix-0 address of the `n`th client. */
export const clientAddress = (n: number): Address => `${KERNEL_PREFIX}/${n.toString(16).padStart(12, '0')}`;

/** The multicast address of a group. */
export const groupAddress = (prefix: number): Address => addressOf(prefix, MAX_CLIENT + 1n);

export const prefixNumber = (address: Address): number => Number.parseInt(prefixOf(address), 16);

export const addressOf = (prefix: number, client: bigint): Address =>
  `${prefix.toString(16).padStart(4, '0')}/${client.toString(16).padStart(12, '0')}`;

/** The address incremented by `step`; undefined if that would be the multicast address, or beyond it. */
export function countUp(address: Address, step: number): Address | undefined {
  const next = BigInt(`0x${address.slice(5)}`) + BigInt(step);
  return next > MAX_CLIENT ? undefined : addressOf(prefixNumber(address), next);
}
