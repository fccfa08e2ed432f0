// SPDX-License-Identifier: MIT
/** Clients: expands replicas, places them on nodes, decides who is admitted. */

import type { Path } from '../../common/diagnostic.ts';
import { user } from '../../common/scalars.ts';
import type { BusSpec, DenyRule, User } from '../../topology/topology.ts';
import { assignAddresses, type Draft } from './addresses.ts';
import { bufferOf, filterOf } from './filters.ts';
import {
  DBUS_CLIENT,
  dbusClient,
  MESSAGE_BUS,
  refuseDbusKeys,
  refuseKernelKeys,
} from './message-bus/parties.ts';
import { programClient } from './message-bus/programs.ts';
import type { Kind } from './names.ts';
import type { Nodes } from './nodes.ts';
import { ownedNames } from './owned-names.ts';
import { rulesOf } from './rules.ts';
import type { WrittenClient } from './scope.ts';
import { busOf, isWritten, type Scope, validEntries, writtenAt } from './scope.ts';

type Some = NonNullable<WrittenClient>;

export function resolveClients(scope: Scope, nodes: Nodes): void {
  const drafts: Draft[] = [];
  const owners = new Map<string, string>();
  const kindOf = (path: Path) => kindOfBroken(scope, path);
  for (const [name, client, path] of validEntries(scope, 'clients', scope.written.clients, kindOf)) {
    if (!fits(scope, client ?? {}, path)) {
      scope.names.declareBroken('client', name);
      continue;
    }
    drafts.push(...expand(scope, nodes, name, client ?? {}, path, owners));
  }
  const addresses = assignAddresses(scope, drafts);
  for (const { explicit: _, path: __, ...draft } of drafts) {
    scope.clients.set(draft.name, { ...draft, addresses: addresses.get(draft.name) ?? [] });
  }
}

/** What a client with a mistake in it is: its bus says, and whether it has a program. */
function kindOfBroken(scope: Scope, path: Path): Kind {
  const { names } = scope;
  const buses = [...names.of('bus'), ...names.of(MESSAGE_BUS)];
  const named = writtenAt(scope, [...path, 'bus']);
  const bus = named === undefined && buses.length === 1 ? buses[0] : named;
  if (names.kindOf(String(bus)) !== MESSAGE_BUS) return 'client';
  return isWritten(scope, [...path, 'program']) ? 'program' : DBUS_CLIENT;
}

/** Whether a mistake, which has been reported, hides if this is a message bus. */
const isUnclear = ({ buses, messageBuses, problems }: Scope, bus: string): boolean =>
  !buses.has(bus) &&
  !messageBuses.has(bus) &&
  (problems.isFaulty(['buses', bus]) || problems.isFaulty(['buses', bus, 'master']));

/** Counts the client, with everything that each of its replicas has or is compared with. */
function fits({ tally, buses, problems }: Scope, client: Some, path: Path): boolean {
  const { replicas = 1, bus, groups = [], addresses = [], names = [], match = [] } = client;
  const { admit, deny } = masterOf(buses, bus);
  const parts = [groups, addresses, names, match, admit, deny].reduce((sum, { length }) => sum + length, 0);
  return (
    tally.add('clients', replicas, path, problems) &&
    tally.add('clientParts', replicas * parts, path, problems)
  );
}

/** The master that decides on a client; if the client names no bus, that of the only bus. */
function masterOf(buses: Scope['buses'], bus: string | undefined): Pick<BusSpec['master'], 'admit' | 'deny'> {
  const spec = bus === undefined && buses.size === 1 ? [...buses.values()][0] : buses.get(bus ?? '');
  return spec?.master ?? { admit: [], deny: [] };
}

function expand(
  scope: Scope,
  nodes: Nodes,
  key: string,
  client: Some,
  path: Path,
  owners: Map<string, string>,
): Draft[] {
  const bus = busOf(scope, client.bus, path, ['bus', MESSAGE_BUS]);
  const node = nodes.forClient(client.node, path);
  if (bus !== undefined && scope.names.kindOf(bus) === MESSAGE_BUS) {
    refuseKernelKeys(scope, client, path);
    const add = client.program === undefined ? dbusClient : programClient;
    add(scope, key, client, { bus, node: node ?? '' }, path);
    return [];
  }
  const isLost = bus === undefined || isUnclear(scope, bus);
  if (!isLost) refuseDbusKeys(scope, client, path);
  const groups = (client.groups ?? []).filter((group, n) =>
    checkGroup(scope, group, bus, [...path, 'groups', n]),
  );
  warnTwice(scope, client.groups ?? [], [...path, 'groups']);
  const fresh = scope.names.declare(client.replicas === undefined ? 'client' : 'replicas', key, path);
  const names = client.replicas === undefined ? [key] : replicaNames(key, client.replicas);
  if (client.replicas !== undefined) for (const name of names) scope.names.declare('client', name, path);
  if (isLost) scope.names.declareBroken('client', key);
  if (!fresh || isLost) return [];
  return drafts(scope, { key, client, path, bus, node: node ?? '', groups, names }, owners);
}

/** Where a client is, by what names, and in which groups. */
interface Home extends Pick<Draft, 'bus' | 'node' | 'groups' | 'path'> {
  readonly key: string;
  readonly client: Some;
  readonly names: readonly string[];
}

/** A draft of each replica. */
function drafts(
  scope: Scope,
  { key, client, path, bus, node, groups, names }: Home,
  owners: Map<string, string>,
): Draft[] {
  const spec = scope.buses.get(bus);
  const who = client.user === undefined ? { uid: 0, gid: 0 } : user(client.user);
  const admitted = spec === undefined || admits(spec, key, who);
  warnEavesdrop(scope, client, admitted, path);
  const filter = client.filter && filterOf(scope, client.filter, spec, [...path, 'filter']);
  const buffer =
    client.buffer === undefined ? undefined : bufferOf(scope, client.buffer, spec, [...path, 'buffer']);
  const match = rulesOf(scope, client.match ?? [], spec, [...path, 'match']);
  const owned = (name: string) =>
    ownedNames(
      scope,
      { client: name, names: client.names ?? [], bus: spec, path: [...path, 'names'] },
      owners,
    );
  return names.map((name, index) => ({
    name,
    bus,
    node,
    user: who,
    groups,
    join: client.join ?? true,
    admitted: spec === undefined || admits(spec, name, who, key),
    eavesdrop: client.eavesdrop ?? false,
    receive: client.receive ?? 'auto',
    ...(filter && { filter }),
    ...(buffer !== undefined && { buffer }),
    ...(match.length > 0 && { match }),
    ...some(owned(name)),
    place: scope.tree.place(path),
    explicit: (client.addresses ?? []).map((text) => ({ text: text.toLowerCase(), index })),
    path,
  }));
}

const some = (names: readonly string[]): Pick<Draft, 'names'> => (names.length > 0 ? { names } : {});

const replicaNames = (key: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${key}-${n}`);

function checkGroup(scope: Scope, group: string, bus: string | undefined, path: Path): boolean {
  if (scope.names.find(group, ['group'], path) === undefined) return false;
  const spec = scope.groups.get(group);
  if (spec === undefined || bus === undefined || spec.bus === bus) return true;
  const message = `group "${group}" is on bus "${spec.bus}", the client on "${bus}"`;
  scope.problems.error(path, { code: 'impossible', message, hint: 'Groups live on one bus.' });
  return false;
}

type Ids = { readonly [key in keyof DenyRule]?: number | undefined };

/** Whether the user has all the ids in the rule. */
export const denies = ({ uid, gid }: Ids, who: User): boolean =>
  (uid ?? who.uid) === who.uid && (gid ?? who.gid) === who.gid && (uid ?? gid) !== undefined;

/** Whether some pattern matches the client (or the name that its replicas share) and no deny rule matches its user. */
function admits(bus: BusSpec, name: string, who: User, key = name): boolean {
  const { admit, deny } = bus.master;
  return (
    !deny.some((rule) => denies(rule, who)) &&
    admit.some((pattern) => matches(pattern, name) || matches(pattern, key))
  );
}

/** Matches a pattern in which `*` stands for any characters; takes linear time whatever the pattern. */
export function matches(pattern: string, name: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return name === head;
  if (name.length < head.length + tail.length || !name.startsWith(head) || !name.endsWith(tail)) return false;
  let at = head.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= name.length - tail.length;
}

function warnTwice({ problems }: Scope, groups: readonly string[], path: Path): void {
  const seen = new Set<string>();
  groups.forEach((group, n) => {
    if (seen.size < seen.add(group).size) return;
    const message = `group "${group}" is there twice: the client gets two addresses in it`;
    const hint = 'A message to the group still comes once only: remove one of the two.';
    problems.warning([...path, n], { code: 'unused', message, hint });
  });
}

function warnEavesdrop({ problems }: Scope, client: Some, admitted: boolean, path: Path): void {
  if (client.eavesdrop !== true || (admitted && client.join !== false)) return;
  const why = admitted ? 'does not join' : 'is not admitted';
  const message = `this client ${why}, so it cannot eavesdrop`;
  problems.warning([...path, 'eavesdrop'], { code: 'impossible', message });
}
