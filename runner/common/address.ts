// SPDX-License-Identifier: MIT
/** Addresses of AF_BUS as text (af_bus.md section 1). */

/** Without the path, `pppp/cccccccccccc` in lower-case hex. */
export type Address = string;

export const MASTER: Address = '0000/000000000000';
/** Every joined client. */
export const EVERYONE: Address = '0000/ffffffffffff';

const KERNEL_PREFIX = '0000';
const MULTICAST = 'ffffffffffff';

export const prefixOf = (address: Address): string => address.slice(0, 4);

export const isMulticast = (address: Address): boolean => address.endsWith(MULTICAST);

/** af_bus.md section 2: a master neither gives nor takes prefix 0 and multicast addresses. */
export const isAssignable = (address: Address): boolean =>
  prefixOf(address) !== KERNEL_PREFIX && !isMulticast(address);

/** The `n`th client's address of prefix 0. */
export const clientAddress = (n: number): Address => `${KERNEL_PREFIX}/${n.toString(16).padStart(12, '0')}`;

/** The multicast address of a group. */
export const groupAddress = (prefix: number): Address =>
  `${prefix.toString(16).padStart(4, '0')}/${MULTICAST}`;
