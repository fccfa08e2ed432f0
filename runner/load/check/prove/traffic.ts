// SPDX-License-Identifier: MIT
/** Buses on which nothing is sent, and groups to which nothing is sent: a run that passes proves nothing about them. */
import { type Address, prefixNumber } from '../../../common/address.ts';
import { flat, sends } from '../../../topology/steps.ts';
import type { Topology } from '../../../topology/topology.ts';
import type { Places } from '../places.ts';
import { busOfSender } from './parties.ts';

export function checkTraffic(places: Places, topology: Topology): void {
  checkBuses(places, topology);
  checkGroups(places, topology);
}

function checkBuses({ problems }: Places, topology: Topology): void {
  const { buses, messageBuses, steps } = topology;
  const busOf = busOfSender(topology);
  const used = new Set<string>();
  for (const { from } of sends(steps)) used.add(busOf(from));
  for (const step of flat(steps))
    if (step.kind === 'dbus') used.add(busOf({ kind: 'client', name: step.action.client }));
  for (const { bus } of messageBuses?.programs ?? []) used.add(bus);
  for (const { name } of [...buses, ...(messageBuses?.buses ?? [])]) {
    if (used.has(name)) continue;
    const message = `nothing is sent on bus "${name}", so a run proves nothing about it`;
    problems.warning(['buses', name], {
      code: 'vacuous',
      message,
      hint: 'Send something on it, or remove it.',
      onKey: true,
    });
  }
}

/** Skips groups without members or on a bus without traffic, which are reported elsewhere. */
function checkGroups({ problems }: Places, topology: Topology): void {
  const { clients, groups, steps } = topology;
  const busOf = busOfSender(topology);
  const all = [...sends(steps)];
  for (const { name, bus, prefix } of groups) {
    const hasPrefix = (address: Address) => prefixNumber(address) === prefix;
    const on = all.filter(({ from }) => busOf(from) === bus);
    const isMeant = on.some(
      ({ to }) =>
        (to.kind === 'group' && to.name === name) || (to.kind === 'address' && hasPrefix(to.address)),
    );
    const isEmpty = !clients.some((client) => client.bus === bus && client.addresses.some(hasPrefix));
    if (isMeant || isEmpty || on.length === 0) continue;
    problems.warning(['groups', name], {
      code: 'vacuous',
      message: `nothing is sent to group "${name}", so a run proves nothing about it`,
      hint: 'Send something to it, or remove it.',
      onKey: true,
    });
  }
}
