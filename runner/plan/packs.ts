// SPDX-License-Identifier: MIT
/** Which clients share a process, if the file asks for that. */
import { clientOf, needsOwnProcess } from '../topology/faults.ts';
import { faults } from '../topology/steps.ts';
import type { ClientSpec, Topology } from '../topology/topology.ts';

/**
 * Client → pack. Up to `pack` clients of one node and user share a process. A client that a step starts, limits or
 * signals gets its own, since these affect whole processes.
 */
export function packsOf({ clients, steps, launcher }: Topology): ReadonlyMap<string, string> {
  const packs = new Map<string, string>();
  const size = launcher?.pack ?? 1;
  if (size === 1) return packs;
  const alone = new Set(
    [...faults(steps)]
      .map(({ action }) => action)
      .filter(needsOwnProcess)
      .map(clientOf),
  );
  const counts = new Map<string, number>();
  for (const { name, node, user, startedByStep } of clients) {
    if (startedByStep || alone.has(name)) continue;
    const place = placeOf({ node, user });
    const n = counts.get(place) ?? 0;
    counts.set(place, n + 1);
    packs.set(name, `${place}-${Math.floor(n / size)}`);
  }
  return packs;
}

const placeOf = ({ node, user }: Pick<ClientSpec, 'node' | 'user'>): string =>
  `${node}-${user.uid}-${user.gid}`;
