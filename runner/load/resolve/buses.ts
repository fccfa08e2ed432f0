// SPDX-License-Identifier: MIT
/** Buses with their masters, and groups. */

import type { Path } from '../../common/diagnostic.ts';
import { size } from '../../common/scalars.ts';
import type { BusSpec, DenyRule } from '../../topology/topology.ts';
import { isMessageBus, MESSAGE_BUS, messageBus, refuse } from './message-bus/parties.ts';
import type { Nodes } from './nodes.ts';
import { busOf, type Scope, validEntries } from './scope.ts';

/** sun_path's 108 bytes: a pathname ends with NUL, an abstract name starts with one. */
const MAX_PATH = 107;

export function resolveBuses(scope: Scope, nodes: Nodes): void {
  const paths = new Map<string, string>();
  for (const [name, bus, at] of validEntries(scope, 'buses', scope.written.buses)) {
    const isMessage = isMessageBus(bus);
    scope.names.declare(isMessage ? MESSAGE_BUS : 'bus', name, at);
    const path = bus?.path ?? `/run/bus/${name}`;
    checkPath(scope, path, name, paths, [...at, 'path']);
    const node = nodes.forMaster(name, bus?.master?.node, [...at, 'master']);
    if (bus && isMessage) {
      scope.messageBuses.set(name, messageBus(scope, name, { bus, path, node: node ?? '' }, at));
      continue;
    }
    refuse(scope, bus?.master, ['limits'], [...at, 'master'], 'these are limits of dbus-daemon');
    refuse(scope, bus?.master, ['services'], [...at, 'master'], 'only dbus-daemon starts services');
    const { queueLength, sendBuffer } = bus ?? {};
    const spec: BusSpec = {
      name,
      path,
      protocol: bus?.protocol ?? 'none',
      ...(queueLength === undefined ? {} : { queueLength }),
      ...(sendBuffer === undefined ? {} : { sendBuffer: size(sendBuffer) }),
      overflow: bus?.overflow ?? 'block',
      master: {
        node: node ?? '',
        admit: bus?.master?.admit ?? ['*'],
        deny: (bus?.master?.deny ?? []) as DenyRule[],
      },
      place: scope.tree.place(at),
    };
    scope.buses.set(name, spec);
  }
  const written = scope.written.buses;
  if (typeof written === 'object' && written !== null && Object.keys(written).length === 0) {
    const hint = 'Write buses: { cabin: {} }.';
    scope.problems.error(['buses'], { code: 'missing-key', message: 'there is no bus', hint, onKey: true });
  }
}

function checkPath(
  { problems }: Scope,
  path: string,
  bus: string,
  paths: Map<string, string>,
  at: Path,
): void {
  const holder = paths.get(path);
  paths.set(path, bus);
  if (holder !== undefined) {
    const message = `bus "${holder}" has the path ${path} already`;
    problems.error(at, { code: 'clash', message, hint: 'Give each bus its own path.' });
  }
  if (Buffer.byteLength(path) > MAX_PATH) {
    problems.error(at, { code: 'bad-value', message: `a bus path has at most ${MAX_PATH} bytes` });
  }
  if (path.includes('\0')) problems.error(at, { code: 'bad-value', message: 'a bus path holds no NUL' });
}

export function resolveGroups(scope: Scope): void {
  const prefixes = new Map<string, string>();
  for (const [name, group, at] of validEntries(scope, 'groups', scope.written.groups)) {
    scope.names.declare('group', name, at);
    const bus = busOf(scope, group.bus, at);
    if (bus === undefined) continue;
    const { prefix } = group;
    checkPrefix(scope, `${bus} ${prefix}`, name, prefixes, [...at, 'prefix']);
    scope.groups.set(name, { name, bus, prefix, place: scope.tree.place(at) });
  }
}

function checkPrefix(
  { tree, problems }: Scope,
  key: string,
  name: string,
  taken: Map<string, string>,
  at: Path,
): void {
  const text = tree.text(at);
  if (/^0\d/.test(text)) {
    const message = `${text} would be decimal here`;
    problems.error(at, { code: 'bad-value', message, hint: `Prefixes are hex: write 0x${text}.` });
  }
  const holder = taken.get(key);
  taken.set(key, name);
  if (holder === undefined) return;
  const message = `group "${holder}" on the same bus has this prefix already`;
  problems.error(at, { code: 'clash', message, hint: 'Give each group of a bus its own prefix.' });
}
