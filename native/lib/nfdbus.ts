// SPDX-License-Identifier: MIT
/** Match rules and names of buses that speak D-Bus, as the kernel's filter nfdbus has them (linux/nfdbus.h). */

import type { Constants, NfdbusRow } from './addon.ts';
import { type AddressLike, addressFromKernel, type BusAddress, formatAddress, toParts } from './address.ts';
import { busError } from './errors.ts';
import { loadedAddon } from './load.ts';
import { encodePath } from './path.ts';

/** A match rule that a client has. */
export interface Match {
  /** The client's prefix-0 address. */
  readonly client: BusAddress;
  readonly rule: string;
}

/** A well-known name that a client owns. */
export interface Name {
  /** The client's prefix-0 address. */
  readonly client: BusAddress;
  readonly name: string;
}

export function addMatch(path: string, client: AddressLike, rule: string): void {
  ask('NFDBUS_CMD_ADD', path, { client, rule });
}

export function removeMatch(path: string, client: AddressLike, rule: string): void {
  ask('NFDBUS_CMD_REMOVE', path, { client, rule });
}

export function removeAllMatches(path: string, client: AddressLike): void {
  ask('NFDBUS_CMD_REMOVE_ALL', path, { client });
}

export function setName(path: string, client: AddressLike, name: string): void {
  ask('NFDBUS_CMD_SET_NAME', path, { client, name });
}

export function unsetName(path: string, name: string): void {
  ask('NFDBUS_CMD_UNSET_NAME', path, { name });
}

/** For all clients if no address is given. */
export function matches(path: string, client?: AddressLike): Match[] {
  return ask('NFDBUS_CMD_GET', path, { client }).flatMap(([prefix, part, rule]) =>
    rule === null ? [] : [{ client: addressFromKernel(prefix, part), rule }],
  );
}

export function names(path: string): Name[] {
  return ask('NFDBUS_CMD_GET', path, {}).flatMap(([prefix, part, , name]) =>
    name === null ? [] : [{ client: addressFromKernel(prefix, part), name }],
  );
}

interface Attributes {
  readonly client?: AddressLike | undefined;
  readonly rule?: string;
  readonly name?: string;
}

/** Throws BusError with the kernel's explanation; TypeError for a text with a NUL inside, which would end there. */
function ask(command: keyof Constants, path: string, { client, rule, name }: Attributes): NfdbusRow[] {
  const { constants, nfdbus } = loadedAddon();
  const parts = client === undefined ? undefined : toParts(client);
  const texts = { rule: checked(rule), name: checked(name) };
  const [result, reason, rows] = nfdbus(
    constants[command],
    encodePath(path),
    parts?.prefix ?? -1,
    parts?.client ?? 0,
    texts.rule,
    texts.name,
  );
  if (result >= 0) return rows;
  throw busError(result, {
    syscall: 'nfdbus',
    path,
    ...(parts && { address: formatAddress(parts.prefix, parts.client) }),
    ...(rule !== undefined && { rule }),
    ...(reason !== '' && { reason }),
  });
}

function checked(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (typeof text !== 'string' || text.includes('\0'))
    throw new TypeError('a rule or name is a text without NUL');
  return text;
}
