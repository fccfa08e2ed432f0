// SPDX-License-Identifier: MIT
/** The filter of buses with the D-Bus protocol: which clients get a multicast (docs/dbus.md section 3). */
import { DRIVER, isWellKnown, matches, parseRule, uniqueName } from '../dbus/index.ts';
import type { Bus, Endpoint, Errno, Message, Passing, Verdict } from './types.ts';

/** NFDBUS_CMD_ADD: a client may have the same rule several times. */
export function addMatch(accepted: Endpoint, text: string): Errno | undefined {
  const rule = parseRule(text);
  if ('mistake' in rule || accepted.side !== 'accepted') return 'EINVAL';
  const client = accepted.peer;
  if (client === undefined || client.out) return 'ENOTCONN';
  client.rules = [...client.rules, rule];
  return undefined;
}

/** NFDBUS_CMD_REMOVE: removes one rule that says the same. */
export function removeMatch(accepted: Endpoint, text: string): Errno | undefined {
  const rule = parseRule(text);
  if ('mistake' in rule || accepted.side !== 'accepted') return 'EINVAL';
  const client = accepted.peer;
  if (client === undefined || client.out) return 'ENOTCONN';
  const at = client.rules.findIndex(({ key }) => key === rule.key);
  if (at < 0) return 'ENOENT';
  client.rules = client.rules.toSpliced(at, 1);
  return undefined;
}

/** NFDBUS_CMD_SET_NAME: gives the name to this client; a former owner loses it. */
export function setName(accepted: Endpoint, name: string): Errno | undefined {
  if (!isWellKnown(name) || name === DRIVER || accepted.side !== 'accepted') return 'EINVAL';
  const client = accepted.peer;
  if (client === undefined || client.out) return 'ENOTCONN';
  client.bus.names.set(name, client);
  return undefined;
}

/** NFDBUS_CMD_UNSET_NAME */
export const unsetName = (bus: Bus, name: string): Errno | undefined =>
  bus.names.delete(name) ? undefined : 'ENOENT';

/** Rules and names end with their client. */
export function forget(client: Endpoint): void {
  client.rules = [];
  for (const [name, owner] of client.bus.names) if (owner === client) client.bus.names.delete(name);
}

/**
 * Rules apply to multicasts. A multicast of the master need not be D-Bus, except for eavesdroppers, which get nothing
 * else.
 */
export const nfdbus: Verdict = ({ message, sender, recipient, multicast, eavesdropped }) => {
  if (eavesdropped && message.dbus === undefined) return 'EPERM';
  if (!multicast || recipient.side === 'accepted') return undefined;
  if (sender.side === 'accepted' && message.dbus === undefined) return undefined;
  return wants(recipient, sender, message) ? undefined : 'EPERM';
};

function wants({ rules }: Endpoint, sender: Endpoint, { dbus }: Message): boolean {
  if (dbus === undefined) return false;
  const master = sender.side === 'accepted';
  const from = {
    unique: master ? DRIVER : uniqueName(sender.address),
    owns: (name: string) => !master && sender.bus.names.get(name) === sender,
  };
  return rules.some((rule) => matches(rule, dbus, from));
}

/** Why copies are left out. */
export const reasonOf = ({ dbus }: Message): string =>
  dbus === undefined
    ? 'it is no D-Bus message, and such a multicast of a client reaches nobody (dbus.md section 3)'
    : 'but only if one of its match rules matches (dbus.md section 3)';

/** Combines the bus's own filter with another one. */
export const both =
  (one: Verdict, other: Verdict | undefined): Verdict =>
  (passing: Passing) =>
    one(passing) ?? other?.(passing);
