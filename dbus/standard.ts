// SPDX-License-Identifier: MIT
/** Interfaces that every object has (D-Bus Specification, "Standard Interfaces"). */
import { readFileSync } from 'node:fs';
import type { Value } from '../runner/dbus/index.ts';
import type { Received } from './connection.ts';
import { DbusError, ERROR } from './error.ts';
import type { Interface, Interfaces, Property } from './interface.ts';
import { introspection } from './introspect.ts';

export const PROPERTIES = 'org.freedesktop.DBus.Properties';

/** Tells the others that a property has another value. */
export type Changed = (iface: string, name: string) => Promise<void>;

export function standard(own: Interfaces, children: () => readonly string[], changed: Changed): Interfaces {
  const all: Interfaces = {
    ...own,
    ...(hasProperties(own) && { [PROPERTIES]: properties(own, changed) }),
    'org.freedesktop.DBus.Introspectable': {
      methods: { Introspect: { out: 's', call: () => [introspection(all, children())] } },
    },
    'org.freedesktop.DBus.Peer': PEER,
  };
  return all;
}

const hasProperties = (own: Interfaces): boolean =>
  Object.values(own).some(({ properties = {} }) => Object.keys(properties).length > 0);

const PEER: Interface = {
  methods: {
    Ping: { call: () => undefined },
    GetMachineId: { out: 's', call: () => [readFileSync('/etc/machine-id', 'utf8').trim()] },
  },
};

function properties(own: Interfaces, changed: Changed): Interface {
  return {
    methods: {
      Get: {
        in: 'ss',
        out: 'v',
        call: async ([iface, name]) => [await variant(propertyOf(own, iface, name))],
      },
      GetAll: { in: 's', out: 'a{sv}', call: async ([iface]) => [await allOf(own, iface as string)] },
      Set: { in: 'ssv', call: (args, message) => set(own, args, message, changed) },
    },
    signals: { PropertiesChanged: 'sa{sv}as' },
  };
}

async function set(
  own: Interfaces,
  [iface, name, wanted]: readonly Value[],
  message: Received,
  changed: Changed,
): Promise<undefined> {
  const property = propertyOf(own, iface, name);
  const { type, value } = wanted as { readonly type: string; readonly value: Value };
  if (property.set === undefined)
    throw new DbusError(`${ERROR}PropertyReadOnly`, `${iface}.${name} cannot be set`);
  if (type !== property.type)
    throw new DbusError(`${ERROR}InvalidArgs`, `${iface}.${name} has the type ${property.type}, not ${type}`);
  await property.set(value, message);
  await changed(iface as string, name as string);
}

async function allOf(own: Interfaces, iface: string): Promise<Map<string, Value>> {
  const values = Object.entries(interfaceOf(own, iface).properties ?? {}).map(
    async ([name, property]) => [name, await variant(property)] as const,
  );
  return new Map(await Promise.all(values));
}

export const variant = async (property: Property): Promise<Value> => ({
  type: property.type,
  value: await property.get(),
});

/** Throws DbusError: UnknownInterface, UnknownProperty. */
export function propertyOf(own: Interfaces, iface: Value | undefined, name: Value | undefined): Property {
  const { properties = {} } = interfaceOf(own, iface as string);
  const property = Object.hasOwn(properties, name as string) ? properties[name as string] : undefined;
  if (property === undefined)
    throw new DbusError(`${ERROR}UnknownProperty`, `${iface} has no property ${name}`);
  return property;
}

function interfaceOf(own: Interfaces, name: string): Interface {
  const iface = Object.hasOwn(own, name) ? own[name] : undefined;
  if (iface === undefined)
    throw new DbusError(`${ERROR}UnknownInterface`, `this object has no interface ${name}`);
  return iface;
}
