// SPDX-License-Identifier: MIT
/** Messages of the bus itself. */
import { type Arg, DRIVER, type Header, NO_REPLY_EXPECTED } from '../../runner/dbus/index.ts';
import type { Outgoing } from './effect.ts';
import type { DriverError } from './error.ts';
import type { Peer } from './peer.ts';

export const DRIVER_PATH = '/org/freedesktop/DBus';

/** What clients without a name are called in answers. */
const NOBODY = ':not.active.yet';

const nameOf = ({ state, name }: Peer): string => (state === 'new' ? NOBODY : name);

export const string = (value: string): Arg => ({ type: 's', value });
export const uint32 = (value: number): Arg => ({ type: 'u', value });

export const replyTo = (to: Peer, { serial }: Pick<Header, 'serial'>, args: readonly Arg[]): Outgoing => ({
  type: 'method_return',
  flags: NO_REPLY_EXPECTED,
  destination: nameOf(to),
  replySerial: serial,
  args,
});

export const errorTo = (to: Peer, serial: number, { errorName, message }: DriverError): Outgoing => ({
  type: 'error',
  flags: NO_REPLY_EXPECTED,
  destination: nameOf(to),
  replySerial: serial,
  errorName,
  args: [string(message)],
});

/** A signal of the bus, for one client if a destination is given. */
export const signal = (member: string, args: readonly Arg[], to?: Peer): Outgoing => ({
  type: 'signal',
  flags: NO_REPLY_EXPECTED,
  path: DRIVER_PATH,
  interface: DRIVER,
  member,
  ...(to && { destination: to.name }),
  args,
});
