// SPDX-License-Identifier: MIT
/** org.freedesktop.DBus.Properties, of the one interface that has some. */
import { type Arg, DRIVER } from '../../runner/dbus/index.ts';
import type { Call } from './call.ts';
import { DriverError } from './error.ts';

export const PROPERTIES: Readonly<Record<string, Arg>> = {
  Features: { type: 'as', value: ['ActivatableServicesChanged', 'HeaderFiltering'] },
  Interfaces: { type: 'as', value: ['org.freedesktop.DBus.Monitoring', 'org.freedesktop.DBus.Debug.Stats'] },
};

export function get(call: Call): readonly Arg[] {
  return [{ type: 'v', value: propertyOf(call) }];
}

export function getAll(call: Call): readonly Arg[] {
  checkInterface(call);
  return [{ type: 'a{sv}', value: new Map(Object.entries(PROPERTIES)) }];
}

export function set(call: Call): never {
  propertyOf(call);
  throw new DriverError('PropertyReadOnly', `Property '${call.string(0)}.${call.string(1)}' cannot be set`);
}

function propertyOf(call: Call): Arg {
  checkInterface(call);
  const name = call.string(1);
  const property = Object.hasOwn(PROPERTIES, name) ? PROPERTIES[name] : undefined;
  if (property === undefined)
    throw new DriverError('UnknownProperty', `Property "${call.string(0)}.${name}" not found`);
  return property;
}

function checkInterface(call: Call): void {
  const name = call.string(0);
  if (name !== DRIVER) throw new DriverError('UnknownInterface', `Interface "${name}" not found`);
}
