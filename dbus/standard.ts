// SPDX-License-Identifier: MIT
/** Interfaces that every object has (D-Bus Specification, "Standard Interfaces"). */
import { machineId } from '../runner/common/machine-id.ts';
import type { Value } from '../runner/dbus/index.ts';
import type { Received } from './connection.ts';
import { DbusError, ERROR } from './error.ts';
import { type Interface, type Interfaces, own, type Property } from './interface.ts';
import { introspection } from './introspect.ts';

export const PROPERTIES = 'org.freedesktop.DBus.Properties';

/** Announces the new value of a property. */
export type Changed = (iface: string, name: string) => Promise<void>;

export function standard(
  exported: Interfaces,
  children: () => readonly string[],
  changed: Changed,
): Interfaces {
  const all: Interfaces = {
    ...exported,
    ...(hasProperties(exported) && { [PROPERTIES]: properties(exported, changed) }),
    'org.freedesktop.DBus.Introspectable': {
      methods: { Introspect: { out: 's', call: () => [introspection(all, children())] } },
    },
    ...PEER,
  };
  return all;
}

const hasProperties = (exported: Interfaces): boolean =>
  Object.values(exported).some(({ properties = {} }) => Object.keys(properties).length > 0);

export const PEER: Interfaces = {
  'org.freedesktop.DBus.Peer': {
    methods: {
      Ping: { call: () => undefined },
      GetMachineId: { out: 's', call: () => [machineId()] },
    },
  },
};

function properties(exported: Interfaces, changed: Changed): Interface {
  return {
    methods: {
      Get: {
        in: 'ss',
        out: 'v',
        call: async ([iface, name]) => [await variant(propertyOf(exported, iface, name))],
      },
      GetAll: { in: 's', out: 'a{sv}', call: async ([iface]) => [await allOf(exported, iface as string)] },
      Set: { in: 'ssv', call: (args, message) => set(exported, args, message, changed) },
    },
    signals: { PropertiesChanged: 'sa{sv}as' },
  };
}

async function set(
  exported: Interfaces,
  [iface, name, wanted]: readonly Value[],
  message: Received,
  changed: Changed,
): Promise<undefined> {
  const property = propertyOf(exported, iface, name);
  const { type, value } = wanted as { readonly type: string; readonly value: Value };
  if (property.set === undefined)
    throw new DbusError(`${ERROR}PropertyReadOnly`, `${iface}.${name} cannot be set`);
  if (type !== property.type)
    throw new DbusError(`${ERROR}InvalidArgs`, `${iface}.${name} has the type ${property.type}, not ${type}`);
  await property.set(value, message);
  await changed(iface as string, name as string);
}

async function allOf(exported: Interfaces, iface: string): Promise<Map<string, Value>> {
  const values = Object.entries(interfaceOf(exported, iface).properties ?? {}).map(
    async ([name, property]) => [name, await variant(property)] as const,
  );
  return new Map(await Promise.all(values));
}

export const variant = async (property: Property): Promise<Value> => ({
  type: property.type,
  value: await property.get(),
});

/** Throws DbusError: UnknownInterface, UnknownProperty. */
export function propertyOf(
  exported: Interfaces,
  iface: Value | undefined,
  name: Value | undefined,
): Property {
  const property = own(interfaceOf(exported, iface as string).properties ?? {}, name as string);
  if (property === undefined)
    throw new DbusError(`${ERROR}UnknownProperty`, `${iface} has no property ${name}`);
  return property;
}

function interfaceOf(exported: Interfaces, name: string): Interface {
  const iface = own(exported, name);
  if (iface === undefined)
    throw new DbusError(`${ERROR}UnknownInterface`, `this object has no interface ${name}`);
  return iface;
}
