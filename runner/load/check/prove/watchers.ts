// SPDX-License-Identifier: MIT
/** Clients that get a message only because they eavesdrop: their copies do not make a group one that has members. */
import { prefixNumber } from '../../../common/address.ts';
import { faults } from '../../../topology/steps.ts';
import type { GroupSpec, SendStep, Topology } from '../../../topology/topology.ts';

/** Eavesdroppers that hold no address in the group of a send; of any other destination nobody is one. */
export function watchersOf({ clients, groups, steps }: Topology): (step: SendStep) => ReadonlySet<string> {
  const changes = [...faults(steps)].map(({ action }) => action);
  const eavesdrops = (name: string) =>
    changes.some((action) => action.fault === 'eavesdrop' && action.on && action.client === name);
  const given = (name: string) =>
    changes.flatMap((action) =>
      action.fault === 'add-address' && action.client === name ? [action.address] : [],
    );
  const watching = clients
    .filter(({ name, eavesdrop }) => eavesdrop || eavesdrops(name))
    .map(({ name, addresses }) => ({
      name,
      prefixes: new Set([...addresses, ...given(name)].map(prefixNumber)),
    }));
  const outside = ({ name, prefix }: GroupSpec) =>
    [
      name,
      new Set(watching.filter(({ prefixes }) => !prefixes.has(prefix)).map((each) => each.name)),
    ] as const;
  const byGroup = new Map(groups.map(outside));
  return ({ to }) => (to.kind === 'group' ? (byGroup.get(to.name) ?? NOBODY) : NOBODY);
}

const NOBODY: ReadonlySet<string> = new Set();
