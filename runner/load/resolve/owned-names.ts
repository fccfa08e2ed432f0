// SPDX-License-Identifier: MIT
/** Well-known names that clients own: each has one owner and its own address (docs/dbus.md section 1). */

import type { Path } from '../../common/diagnostic.ts';
import { DRIVER, MAX_NAMES } from '../../dbus/index.ts';
import { masterOf } from '../../topology/lane.ts';
import type { BusSpec } from '../../topology/topology.ts';
import { tooMany } from './rules.ts';
import type { Scope } from './scope.ts';

/** The prefix of the addresses that stand for names. */
export const NAMES_PREFIX = 1;

/** The names; reports errors if the bus has no names, or another client owns one of them. */
export function ownedNames(
  scope: Scope,
  { client, names, bus, path }: Owning,
  owners: Map<string, string>,
): readonly string[] {
  const { problems } = scope;
  // A mistake in the bus is reported elsewhere.
  if (names.length === 0 || bus === undefined) return [];
  if (bus.protocol !== 'dbus') {
    const message = `bus "${bus.name}" has no well-known names: it carries bytes`;
    const hint = 'Names are for buses with protocol: dbus.';
    problems.error(path, { code: 'impossible', message, hint, onKey: true });
    return [];
  }
  if (names.length > MAX_NAMES) tooMany(scope, MAX_NAMES, 'names', [...path, MAX_NAMES]);
  names.forEach((name, n) => {
    const key = `${bus.name} ${name}`;
    const owner = name === DRIVER ? masterOf(bus.name) : owners.get(key);
    owners.set(key, client);
    if (owner === undefined) return;
    const [message, hint] =
      owner === client
        ? [`"${client}" has the name ${name} twice`, 'Remove one of the two.']
        : [`"${owner}" owns the name ${name} already`, 'A name has one owner on a bus: choose another.'];
    problems.error([...path, n], { code: 'clash', message, hint });
  });
  return names;
}

export interface Owning {
  readonly client: string;
  readonly names: readonly string[];
  readonly bus: BusSpec | undefined;
  readonly path: Path;
}
