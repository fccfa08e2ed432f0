// SPDX-License-Identifier: MIT
/** Names and paths (D-Bus Specification, "Valid Names", "Valid Object Paths"). */

/** Bytes of a name, which is of ASCII: characters are bytes. */
export const MAX_NAME = 255;

export const INTERFACE = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$/;
export const MEMBER = /^[A-Za-z_][A-Za-z0-9_]*$/;
export const WELL_KNOWN = /^[A-Za-z_-][A-Za-z0-9_-]*(\.[A-Za-z_-][A-Za-z0-9_-]*)+$/;
const NAMESPACE =
  /^([A-Za-z_-][A-Za-z0-9_-]*(\.[A-Za-z_-][A-Za-z0-9_-]*)*|:[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)$/;
const UNIQUE = /^:[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$/;
export const PATH = /^(\/|(\/[A-Za-z0-9_]+)+)$/;

export const BUS_NAME = new RegExp(`${WELL_KNOWN.source}|${UNIQUE.source}`);

const isShort = (text: string): boolean => text.length <= MAX_NAME;

export const isInterface = (text: string): boolean => isShort(text) && INTERFACE.test(text);
export const isErrorName = isInterface;
export const isMember = (text: string): boolean => isShort(text) && MEMBER.test(text);
export const isWellKnown = (text: string): boolean => isShort(text) && WELL_KNOWN.test(text);
export const isUnique = (text: string): boolean => isShort(text) && UNIQUE.test(text);
export const isBusName = (text: string): boolean => isWellKnown(text) || isUnique(text);
/** The beginning of a bus name, unique names included, or of an interface: one element is enough. */
export const isNamespace = (text: string): boolean => isShort(text) && NAMESPACE.test(text);

/**
 * What PATH matches, without a loop in the expression: a path may have millions of elements, for which the stack of the
 * engine is too small.
 */
export const isPath = (text: string): boolean =>
  text === '/' || (text.startsWith('/') && !NO_PATH.test(text));
const NO_PATH = /[^A-Za-z0-9_/]|\/\/|\/$/;

/** The bus driver's name: the master. */
export const DRIVER = 'org.freedesktop.DBus';

/** `0000/0000deadbeef` → `:0.deadbeef` (docs/dbus.md section 1); the master is the bus driver. */
export function uniqueName(address: string): string {
  const client = address.slice(5).replace(/^0+/, '');
  return client === '' ? DRIVER : `:0.${client}`;
}
