// SPDX-License-Identifier: MIT
/** org.freedesktop.DBus.Peer and .Introspectable. */
import type { Arg } from '../../runner/dbus/index.ts';
import type { Call } from './call.ts';
import { string } from './message.ts';

export const ping = (_: Call): readonly Arg[] => [];

export const getMachineId = ({ driver }: Call): readonly Arg[] => [string(driver.machineId)];

export const introspect = ({ driver, header }: Call): readonly Arg[] => [
  string(driver.introspection(header.path ?? '/')),
];
