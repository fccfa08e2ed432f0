// SPDX-License-Identifier: MIT
/** Clients that get a message only because they eavesdrop: their copies do not give a group a member. */
import { prefixNumber } from '../../../common/address.ts';
import { faults } from '../../../topology/steps.ts';
import type { GroupSpec, SendStep, Topology } from '../../../topology/topology.ts';

/** For a send to a group: the eavesdroppers that hold no address in it. For any other destination: none. */
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
