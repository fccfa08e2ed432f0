// SPDX-License-Identifier: MIT
/** Buses on which nothing is sent: a run that passes proves nothing about them. */
import { flat, sends } from '../../../topology/steps.ts';
import type { Topology } from '../../../topology/topology.ts';
import type { Places } from '../places.ts';

export function checkTraffic({ problems }: Places, { buses, clients, messageBuses, steps }: Topology): void {
  const busOf = new Map([...clients, ...(messageBuses?.clients ?? [])].map(({ name, bus }) => [name, bus]));
  const used = new Set<string | undefined>();
  for (const { from } of sends(steps)) used.add(from.kind === 'master' ? from.bus : busOf.get(from.name));
  for (const step of flat(steps)) if (step.kind === 'dbus') used.add(busOf.get(step.action.client));
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
