// SPDX-License-Identifier: MIT
/** Server addresses (D-Bus Specification, "Server Addresses"): `unix:path=/run/bus`, `afbus:abstract=name`. */
import { InvalidInput } from '../common/errors.ts';

export interface Address {
  readonly transport: string;
  readonly options: ReadonlyMap<string, string>;
}

/** The addresses in a list with semicolons. Throws InvalidInput. */
export function parseAddresses(text: string): readonly Address[] {
  return text.split(';').map(parseAddress);
}

function parseAddress(text: string): Address {
  const colon = text.indexOf(':');
  if (colon < 1) throw wrong(text, 'it has no transport');
  const options = new Map<string, string>();
  for (const option of text
    .slice(colon + 1)
    .split(',')
    .filter(Boolean)) {
    const equals = option.indexOf('=');
    const key = option.slice(0, equals);
    if (equals < 1) throw wrong(text, `${JSON.stringify(option)} is not KEY=VALUE`);
    if (options.has(key)) throw wrong(text, `${key} is there twice`);
    options.set(key, decode(option.slice(equals + 1), text));
  }
  return { transport: text.slice(0, colon), options };
}

/** Decodes %xx to bytes. */
function decode(value: string, text: string): string {
  const bytes = value.replace(/%([0-9a-fA-F]{2})?/g, (_, hex: string | undefined) => {
    if (hex === undefined) throw wrong(text, '% is not followed by two hex digits');
    return String.fromCharCode(Number.parseInt(hex, 16));
  });
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Leaves the characters unchanged that need no escape. */
const encode = (value: string): string =>
  [...Buffer.from(value)]
    .map((byte) => String.fromCharCode(byte))
    .map((byte) =>
      /[-0-9A-Za-z_/.\\*]/.test(byte) ? byte : `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`,
    )
    .join('');

export const formatAddress = ({ transport, options }: Address): string =>
  `${transport}:${[...options].map(([key, value]) => `${key}=${encode(value)}`).join(',')}`;

/** A path in the form of this project's socket calls: `@name` is abstract. Throws InvalidInput. */
export function socketPath({ transport, options }: Address): string {
  const path = options.get('path');
  const name = options.get('abstract');
  if ((path === undefined) === (name === undefined))
    throw new InvalidInput(
      `the address "${formatAddress({ transport, options })}" names no socket`,
      `Write ${transport}:path=/run/my-bus or ${transport}:abstract=my-bus.`,
    );
  return path === undefined ? `@${name}` : path.startsWith('@') ? `./${path}` : path;
}

const wrong = (text: string, why: string): InvalidInput =>
  new InvalidInput(`${JSON.stringify(text)} is not a D-Bus address: ${why}`, 'Write unix:path=/run/my-bus.');
