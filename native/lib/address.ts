// SPDX-License-Identifier: MIT
/** 64-bit bus addresses and their text form `pppp/cccccccccccc`: 16-bit prefix, 48-bit client part, both hex. */

/** Canonical text of an address: 4 and 12 lower-case hex digits, so that `===` and Map keys compare addresses. */
export type BusAddress = `${string}/${string}`;

/** An address taken apart. Both parts are exact integers: 0 … 0xffff and 0 … 0xffffffffffff. */
export interface AddressParts {
  readonly prefix: number;
  readonly client: number;
}

const MAX_PREFIX = 0xffff;
const MAX_CLIENT = 0xffff_ffff_ffff;
const TEXT = /^([0-9a-f]{4})\/([0-9a-f]{12})$/i;

/** `0000/000000000000`: the bus master, and the default destination. */
export const MASTER_ADDRESS: BusAddress = '0000/000000000000';

/** Text of an address given by its parts. Throws RangeError if a part is no integer in its range. */
export function formatAddress(prefix: number, client: number): BusAddress {
  checkPart('prefix', prefix, MAX_PREFIX);
  checkPart('client', client, MAX_CLIENT);
  return `${hex(prefix, 4)}/${hex(client, 12)}`;
}

/** Parts of `pppp/cccccccccccc` (either case). Throws TypeError for any other text. */
export function parseAddress(text: string): AddressParts {
  const match = TEXT.exec(text);
  if (!match) throw new TypeError(`not a bus address: '${text}' (expected pppp/cccccccccccc in hex)`);
  return { prefix: Number.parseInt(match[1] as string, 16), client: Number.parseInt(match[2] as string, 16) };
}

/** `pppp/ffffffffffff`: every joined client that holds an address of this prefix; prefix 0 is every joined client. */
export function multicastAddress(prefix: number): BusAddress {
  return formatAddress(prefix, MAX_CLIENT);
}

/** Whether the client part is all ones. */
export function isMulticast(address: BusAddress): boolean {
  return parseAddress(address).client === MAX_CLIENT;
}

/** The address as the kernel's `s_addr`: prefix << 48 | client part. */
export function addressToBigInt(address: BusAddress): bigint {
  const { prefix, client } = parseAddress(address);
  return (BigInt(prefix) << 48n) | BigInt(client);
}

/** Text of a kernel `s_addr`. Throws RangeError outside 0 … 2^64-1. */
export function addressFromBigInt(value: bigint): BusAddress {
  if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw new RangeError(`not a 64-bit address: ${value}`);
  return formatAddress(Number(value >> 48n), Number(value & 0xffff_ffff_ffffn));
}

/** What calls that take a destination accept: text, `s_addr`, or parts. */
export type AddressLike = string | bigint | AddressParts;

/** Parts of anything that names an address. Throws TypeError or RangeError. */
export function toParts(address: AddressLike): AddressParts {
  if (typeof address === 'string') return parseAddress(address);
  if (typeof address === 'bigint') return parseAddress(addressFromBigInt(address));
  checkPart('prefix', address.prefix, MAX_PREFIX);
  checkPart('client', address.client, MAX_CLIENT);
  return address;
}

const interned: BusAddress[] = [];
const INTERN_LIMIT = 4096;

/** `formatAddress` for numbers from the kernel; the texts of low prefix-0 addresses are cached. */
export function addressFromKernel(prefix: number, client: number): BusAddress {
  if (prefix !== 0 || client >= INTERN_LIMIT) return `${hex(prefix, 4)}/${hex(client, 12)}`;
  let text = interned[client];
  if (text === undefined) {
    text = `0000/${hex(client, 12)}`;
    interned[client] = text;
  }
  return text;
}

function checkPart(name: string, value: number, limit: number): void {
  if (!Number.isInteger(value) || value < 0 || value > limit) {
    throw new RangeError(`${name} ${value} is not an integer from 0 to ${limit}`);
  }
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
