// SPDX-License-Identifier: MIT
/** Messages to the bus and from it, with the unique names that clients have, and how long they are. */
import { type Arg, DRIVER, forwarded, marshal, readHeader } from '../../dbus/index.ts';
import type { Heard } from '../../model/index.ts';
import type { DbusAction } from '../../topology/message-bus.ts';
import type { Operation } from './operation.ts';
import type { Parties } from './parties.ts';

const DRIVER_PATH = '/org/freedesktop/DBus';

export const string = (value: string): Arg => ({ type: 's', value });

/** A call of the bus. */
export const toBus = (member: string, args: readonly Arg[]): Operation['message'] => ({
  ...{ type: 'method_call', path: DRIVER_PATH, interface: DRIVER, member, args },
});

/** Unique names are shown without their colon: `:player` is `player`. */
export const shown = (name: string): string => name.replace(/^:/, '');

/** As the bus passes it on. */
export function lengthOfSignal(
  { client, to, fds }: DbusAction & { do: 'signal' },
  message: Operation['message'],
  parties: Parties,
): number {
  const destination = to !== undefined && { destination: parties.uniqueOf(to) ?? to };
  const unixFds = fds.length > 0 && { unixFds: fds.length };
  const bytes = marshal({ ...message, ...destination, ...unixFds, endian: 'little' }, 1);
  const pieces = forwarded(bytes, readHeader(bytes), parties.uniqueOf(client) ?? '');
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** A signal of the bus about a name. */
export function lengthOfHeard({ client, member, args }: Heard, parties: Parties): number {
  const real = (name: string) => (name.startsWith(':') ? (parties.uniqueOf(shown(name)) ?? name) : name);
  const values = args.map((name) => string(real(name)));
  const destination = member !== 'NameOwnerChanged' && { destination: parties.uniqueOf(client) ?? '' };
  const message = { ...toBus(member, values), type: 'signal', ...destination, sender: DRIVER } as const;
  return marshal({ ...message, endian: 'little' }, 1).length;
}
