// SPDX-License-Identifier: MIT
/** Buses with their masters, and groups. */

import { dirname, normalize } from 'node:path/posix';
import type { Path } from '../../common/diagnostic.ts';
import { size } from '../../common/scalars.ts';
import { LEGACY, SIGNPOST } from '../../topology/message-bus.ts';
import type { BusSpec, DenyRule } from '../../topology/topology.ts';
import { isMessageBus, MESSAGE_BUS, messageBus, refuse } from './message-bus/parties.ts';
import type { Nodes } from './nodes.ts';
import { busOf, isWritten, type Scope, validEntries } from './scope.ts';

/** sun_path's 108 bytes: a pathname ends with NUL, an abstract name starts with one. */
const MAX_PATH = 107;

export function resolveBuses(scope: Scope, nodes: Nodes): void {
  const paths = new Map<string, string>();
  const kindOf = (at: Path) => (isWritten(scope, [...at, 'master', 'program']) ? MESSAGE_BUS : 'bus');
  for (const [name, bus, at] of validEntries(scope, 'buses', scope.written.buses, kindOf)) {
    const isMessage = isMessageBus(bus);
    scope.names.declare(isMessage ? MESSAGE_BUS : 'bus', name, at);
    const path = bus?.path ?? `/run/bus/${name}`;
    checkPath(scope, path, { bus: name, isMessage }, paths, [...at, 'path']);
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

/** Reports a path at which no bus can listen, or at which another one does. */
function checkPath(
  { problems }: Scope,
  path: string,
  { bus, isMessage }: { readonly bus: string; readonly isMessage: boolean },
  paths: Map<string, string>,
  at: Path,
): void {
  const most = MAX_PATH - (isMessage ? LEGACY.length : 0);
  if (Buffer.byteLength(path) > most) {
    const beside = isMessage ? `, as ${LEGACY} follows for legacy clients` : '';
    problems.error(at, { code: 'bad-value', message: `a bus path has at most ${most} bytes${beside}` });
  }
  const mistake = path.startsWith('@') ? undefined : mistakeIn(path);
  if (mistake) problems.error(at, { code: 'bad-value', ...mistake });
  // A socket is no folder.
  const own = isMessage ? takenBy(path) : [path];
  const pairs = own.flatMap((mine) =>
    [...paths.keys()].flatMap(
      (other) =>
        [
          [mine, other],
          [other, mine],
        ] as const,
    ),
  );
  const around = pairs.find(([inner, outer]) => isInside(inner, outer));
  if (around !== undefined) {
    const [inner, outer] = around;
    const message = `${outer} is the path of a bus, so ${inner} cannot be inside it`;
    problems.error(at, { code: 'clash', message, hint: 'Give each bus its own path: /run/bus/NAME.' });
  }
  for (const taken of own) {
    const holder = paths.get(taken);
    paths.set(taken, bus);
    if (holder === undefined) continue;
    const message = `bus "${holder}" has the path ${taken} already`;
    problems.error(at, { code: 'clash', message, hint: 'Give each bus its own path.' });
  }
}

const isInside = (path: string, folder: string): boolean =>
  !folder.startsWith('@') && path.startsWith(`${folder}/`);

/**
 * The paths of a message bus: its own, that of its socket for legacy clients, and the link beside that one. Abstract
 * names of AF_BUS and of AF_UNIX do not meet, and have no link.
 */
const takenBy = (path: string): readonly string[] =>
  path.startsWith('@') ? [path] : [path, `${path}${LEGACY}`, `${path}${LEGACY}${SIGNPOST}`];

/** The folder of a path is mounted in each node, as Docker writes it: `volume:folder`. */
function mistakeIn(path: string): { readonly message: string; readonly hint: string } | undefined {
  const plain = normalize(path).replace(/\/$/, '');
  const folder = dirname(plain);
  const hint = 'Choose another folder: /run/bus.';
  if (folder === '/' || plain === '') return { message: 'a bus cannot be in the folder / itself', hint };
  if (folder.includes(':')) return { message: 'the folder of a bus path holds no ":"', hint };
  if (plain === path) return undefined;
  return { message: 'a bus path has no empty part and no . or .. as a part', hint: `Write ${plain}.` };
}

export function resolveGroups(scope: Scope): void {
  const prefixes = new Map<string, string>();
  for (const [name, group, at] of validEntries(scope, 'groups', scope.written.groups, () => 'group')) {
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
