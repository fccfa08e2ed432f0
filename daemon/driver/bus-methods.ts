// SPDX-License-Identifier: MIT
/** org.freedesktop.DBus: joining, names and match rules. */
import {
  type Arg,
  DRIVER,
  isBusName,
  isUnique,
  parseRule,
  type Rule,
  type Value,
} from '../../runner/dbus/index.ts';
import { type Call, LATER } from './call.ts';
import { DriverError } from './error.ts';
import { string, uint32 } from './message.ts';
import type { Peer } from './peer.ts';

const boolean = (value: boolean): Arg => ({ type: 'b', value });
const strings = (value: readonly string[]): Arg => ({ type: 'as', value });

/** The reply comes first, then the others are told of the new client, then the client is told that it owns its name. */
export function hello({ driver, peer, header, before, after }: Call): typeof LATER {
  if (peer.state !== 'new') throw new DriverError('Failed', 'Already handled an Hello message');
  driver.admit(peer);
  before.push({ do: 'join', peer });
  before.push(...driver.reply(peer, header, [string(peer.name)]));
  after.push(...driver.changed({ name: peer.name, from: undefined, to: peer }));
  return LATER;
}

export function requestName(call: Call): readonly Arg[] {
  const { driver, peer } = call;
  const name = wellKnown(call, 'Requested', 'acquire');
  const refused = `Connection "${peer.name}" is not allowed to own the service "${name}"`;
  if (name === DRIVER)
    throw new DriverError('InvalidArgs', `${refused}because it is reserved for D-Bus' use only`);
  if (!driver.policy.mayOwn(peer, name))
    throw new DriverError('AccessDenied', `${refused} due to security policies in the configuration file`);
  const most = driver.limits.max_names_per_connection;
  if (!peer.claims.has(name) && peer.claims.size + 1 >= most)
    throw new DriverError(
      'LimitsExceeded',
      `Connection "${peer.name}" is not allowed to own more services (increase limits in configuration file if required; max_names_per_connection=${most})`,
    );
  const { reply, change } = driver.names.request(name, peer, call.uint32(1));
  if (change) call.before.push(...driver.changed(change), ...driver.activation.appeared(name, peer));
  return [uint32(reply)];
}

export function releaseName(call: Call): readonly Arg[] {
  const { driver, peer } = call;
  const name = wellKnown(call, 'Given', 'release');
  if (name === DRIVER)
    throw new DriverError(
      'InvalidArgs',
      `Cannot release the ${DRIVER} service because it is owned by the bus`,
    );
  const { reply, change } = driver.names.release(name, peer);
  if (change) call.before.push(...driver.changed(change));
  return [uint32(reply)];
}

/** The name that a call is about. */
function wellKnown(call: Call, which: string, verb: string): string {
  const name = call.string(0);
  if (!isBusName(name)) throw new DriverError('InvalidArgs', `${which} bus name "${name}" is not valid`);
  if (isUnique(name))
    throw new DriverError('InvalidArgs', `Cannot ${verb} a service starting with ':' such as "${name}"`);
  return name;
}

export const nameHasOwner = (call: Call): readonly Arg[] => [boolean(call.driver.hasOwner(call.string(0)))];

export const listNames = ({ driver }: Call): readonly Arg[] => [
  strings([DRIVER, ...driver.active().map(({ name }) => name), ...driver.names.all()]),
];

export function getNameOwner(call: Call): readonly Arg[] {
  const name = call.string(0);
  if (name === DRIVER) return [string(DRIVER)];
  return [string(owner(call, name, 'owner').name)];
}

export function listQueuedOwners(call: Call): readonly Arg[] {
  const name = call.string(0);
  if (name === DRIVER) return [strings([DRIVER])];
  const first = owner(call, name, 'owners');
  const queue = isUnique(name) ? [first] : call.driver.names.queueOf(name);
  return [strings(queue.map((peer) => peer.name))];
}

function owner({ driver }: Call, name: string, what: string): Peer {
  const found = driver.ownerOf(name);
  if (found === undefined)
    throw new DriverError('NameHasNoOwner', `Could not get ${what} of name '${name}': no such name`);
  return found;
}

export function addMatch(call: Call): readonly Arg[] {
  const { driver, peer, before } = call;
  const most = driver.limits.max_match_rules_per_connection;
  if (peer.nrRules >= most)
    throw new DriverError(
      'LimitsExceeded',
      `Connection "${peer.name}" is not allowed to add more match rules (increase limits in configuration file if required; max_match_rules_per_connection=${most})`,
    );
  const text = call.string(0);
  const { eavesdrops } = peer;
  peer.addRule(ruleOf(text), text);
  before.push({ do: 'add-match', peer, rule: text });
  if (!eavesdrops && peer.eavesdrops) before.push({ do: 'eavesdrop', peer, on: true });
  return [];
}

export function removeMatch(call: Call): readonly Arg[] {
  const { peer, before } = call;
  const text = call.string(0);
  const { eavesdrops } = peer;
  if (!peer.removeRule(ruleOf(text)))
    throw new DriverError('MatchRuleNotFound', "The given match rule wasn't found and can't be removed");
  before.push({ do: 'remove-match', peer, rule: text });
  if (eavesdrops && !peer.eavesdrops) before.push({ do: 'eavesdrop', peer, on: false });
  return [];
}

const MAX_RULE = 1024;

export function ruleOf(text: string): Rule {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_RULE)
    throw new DriverError('LimitsExceeded', `Match rule text is ${bytes} bytes, maximum is ${MAX_RULE}`);
  const rule = parseRule(text);
  if ('mistake' in rule) throw new DriverError('MatchRuleInvalid', rule.mistake.message);
  return rule;
}

export const getId = ({ driver }: Call): readonly Arg[] => [string(driver.id)];

export const listActivatableNames = ({ driver }: Call): readonly Arg[] => [
  strings([DRIVER, ...driver.activation.names()]),
];

export function startServiceByName(call: Call): readonly Arg[] | typeof LATER {
  return call.driver.activation.startByName(call, call.string(0));
}

export function updateActivationEnvironment(call: Call): readonly Arg[] {
  const variables = call.value(0) as ReadonlyMap<Value, Value>;
  const added = Object.fromEntries([...variables].map(([name, value]) => [String(name), String(value)]));
  call.before.push({ do: 'environment', variables: added });
  return [];
}

export function reloadConfig({ peer, header, before }: Call): typeof LATER {
  before.push({ do: 'reload', peer, header });
  return LATER;
}
