// SPDX-License-Identifier: MIT
/** Which clients share a process, where the file asks for that. */
import type { ClientSpec, Step, Topology } from '../topology/topology.ts';

/**
 * Client → pack. So many of one node and user share one; whoever a step starts, limits or sends a signal has a process
 * of its own, since all of that is about whole processes.
 */
export function packsOf({ clients, steps, launcher }: Topology): ReadonlyMap<string, string> {
  const packs = new Map<string, string>();
  const size = launcher?.pack ?? 1;
  if (size === 1) return packs;
  const alone = new Set(singled(steps));
  const counts = new Map<string, number>();
  for (const { name, node, user, late } of clients) {
    if (late || alone.has(name)) continue;
    const place = placeOf({ node, user });
    const n = counts.get(place) ?? 0;
    counts.set(place, n + 1);
    packs.set(name, `${place}-${Math.floor(n / size)}`);
  }
  return packs;
}

const placeOf = ({ node, user }: Pick<ClientSpec, 'node' | 'user'>): string =>
  `${node}-${user.uid}-${user.gid}`;

/** Clients whose processes the steps are about. */
function singled(steps: readonly Step[]): string[] {
  return steps.flatMap((step) => {
    if (step.kind === 'parallel') return step.branches.flatMap(singled);
    if (step.kind !== 'fault') return [];
    const { action } = step;
    if (action.fault === 'limit') return [action.client];
    return 'target' in action && action.target.kind === 'client' ? [action.target.name] : [];
  });
}
