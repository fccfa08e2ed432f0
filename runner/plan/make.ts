// SPDX-License-Identifier: MIT
/** Topology → Plan: who is started where, and which messages will be on the wire. Pure. */

import { masterOf } from '../topology/lane.ts';
import type { Topology } from '../topology/topology.ts';
import { numberMessages } from './messages.ts';
import { packsOf } from './packs.ts';
import type { AgentPlan, Plan } from './plan.ts';

export interface PlanOptions {
  /** Makes bodies and sizes; the same seed gives the same plan. */
  readonly seed: number;
}

export function plan(topology: Topology, { seed }: PlanOptions): Plan {
  return { topology, seed, agents: agentsOf(topology), ...numberMessages(topology, seed) };
}

/** Masters first, in file order: a bus must be there before its clients connect. */
function agentsOf(topology: Topology): AgentPlan[] {
  const { buses, clients } = topology;
  const packs = packsOf(topology);
  const root = { uid: 0, gid: 0 };
  const masters = buses.map(
    (bus): AgentPlan => ({
      name: masterOf(bus.name),
      node: bus.master.node,
      role: 'master',
      bus: bus.name,
      user: root,
    }),
  );
  const others = clients.map(
    ({ name, node, bus, user, late }): AgentPlan => ({
      ...{ name, node, role: 'client', bus, user },
      ...(late && { late }),
      ...(packs.has(name) && { pack: packs.get(name) as string }),
    }),
  );
  return [...masters, ...others];
}
