// SPDX-License-Identifier: MIT
/** What the bus offers: its interfaces with their methods, properties and signals. */

import * as bus from './bus-methods.ts';
import type { Handler } from './call.ts';
import * as credentials from './credential-methods.ts';
import * as monitoring from './monitoring.ts';
import * as peer from './peer-methods.ts';
import * as properties from './properties.ts';
import * as stats from './stats.ts';

export interface Method {
  readonly name: string;
  /** Signatures of its arguments and of its reply. */
  readonly in: string;
  readonly out: string;
  readonly handler: Handler;
  /** Only at the path of the bus, although its interface is at every path. */
  readonly canonical?: true;
  /** Only for root and the user that runs the bus. */
  readonly privileged?: true;
}

export interface Signal {
  readonly name: string;
  readonly args: readonly (string | readonly [type: string, name: string])[];
}

export interface Interface {
  readonly name: string;
  readonly methods: readonly Method[];
  readonly signals: readonly Signal[];
  /** At every path, not only at that of the bus. */
  readonly anyPath: boolean;
}

const method = (name: string, input: string, out: string, handler: Handler): Method => ({
  ...{ name, in: input, out, handler },
});

const PRIVILEGED = { canonical: true, privileged: true } as const;

/** At every path, unless stated otherwise. */
const iface = (name: string, methods: readonly Method[], more: Partial<Interface> = {}): Interface => ({
  ...{ name, methods, signals: [], anyPath: true },
  ...more,
});

const PROPERTIES_CHANGED: Signal = {
  name: 'PropertiesChanged',
  args: [
    ['s', 'interface_name'],
    ['a{sv}', 'changed_properties'],
    ['as', 'invalidated_properties'],
  ],
};

const BUS = iface(
  'org.freedesktop.DBus',
  [
    method('Hello', '', 's', bus.hello),
    method('RequestName', 'su', 'u', bus.requestName),
    method('ReleaseName', 's', 'u', bus.releaseName),
    method('StartServiceByName', 'su', 'u', bus.startServiceByName),
    {
      ...method('UpdateActivationEnvironment', 'a{ss}', '', bus.updateActivationEnvironment),
      ...PRIVILEGED,
    },
    method('NameHasOwner', 's', 'b', bus.nameHasOwner),
    method('ListNames', '', 'as', bus.listNames),
    method('ListActivatableNames', '', 'as', bus.listActivatableNames),
    method('AddMatch', 's', '', bus.addMatch),
    method('RemoveMatch', 's', '', bus.removeMatch),
    method('GetNameOwner', 's', 's', bus.getNameOwner),
    method('ListQueuedOwners', 's', 'as', bus.listQueuedOwners),
    method('GetConnectionUnixUser', 's', 'u', credentials.unixUser),
    method('GetConnectionUnixProcessID', 's', 'u', credentials.unixProcessId),
    method('GetAdtAuditSessionData', 's', 'ay', credentials.auditSessionData),
    method('GetConnectionSELinuxSecurityContext', 's', 'ay', credentials.selinuxContext),
    { ...method('ReloadConfig', '', '', bus.reloadConfig), ...PRIVILEGED },
    method('GetId', '', 's', bus.getId),
    method('GetConnectionCredentials', 's', 'a{sv}', credentials.all),
  ],
  {
    signals: [
      { name: 'NameOwnerChanged', args: ['s', 's', 's'] },
      { name: 'NameLost', args: ['s'] },
      { name: 'NameAcquired', args: ['s'] },
      { name: 'ActivatableServicesChanged', args: [] },
    ],
  },
);

export const INTERFACES: readonly Interface[] = [
  BUS,
  iface(
    'org.freedesktop.DBus.Properties',
    [
      method('Get', 'ss', 'v', properties.get),
      method('GetAll', 's', 'a{sv}', properties.getAll),
      method('Set', 'ssv', '', properties.set),
    ],
    { anyPath: false, signals: [PROPERTIES_CHANGED] },
  ),
  iface('org.freedesktop.DBus.Introspectable', [method('Introspect', '', 's', peer.introspect)]),
  iface(
    'org.freedesktop.DBus.Monitoring',
    [{ ...method('BecomeMonitor', 'asu', '', monitoring.becomeMonitor), ...PRIVILEGED }],
    { anyPath: false },
  ),
  iface(
    'org.freedesktop.DBus.Debug.Stats',
    [
      method('GetStats', '', 'a{sv}', stats.getStats),
      method('GetConnectionStats', 's', 'a{sv}', stats.getConnectionStats),
      method('GetAllMatchRules', '', 'a{sas}', stats.getAllMatchRules),
    ],
    { anyPath: false },
  ),
  iface('org.freedesktop.DBus.Peer', [
    method('GetMachineId', '', 's', peer.getMachineId),
    method('Ping', '', '', peer.ping),
  ]),
];
