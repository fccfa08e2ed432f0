// SPDX-License-Identifier: MIT
/** Turns a topology into a plan: which process runs on which node, and which messages are sent. Pure. */

import { type Contradictions, predictOperations } from '../predict/index.ts';
import { masterOf } from '../topology/lane.ts';
import type { Topology } from '../topology/topology.ts';
import { numberMessages } from './messages.ts';
import { packsOf } from './packs.ts';
import type { AgentPlan, Plan } from './plan.ts';

export interface PlanOptions {
  /** Determines generated bodies and sizes: the same seed gives the same plan. */
  readonly seed: number;
  /** Expectations of the file that contradict the model, as loading found. */
  readonly contradictions?: Contradictions | undefined;
}

export function plan(topology: Topology, { seed, contradictions = new Map() }: PlanOptions): Plan {
  const numbered = numberMessages(topology, seed, contradictions);
  const operations = topology.messageBuses && predictOperations(topology);
  const base = { topology, seed, agents: agentsOf(topology), contradictions, ...numbered };
  return operations ? { ...base, operations } : base;
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
    ({ name, node, bus, user, startedByStep }): AgentPlan => ({
      ...{ name, node, role: 'client', bus, user },
      ...(startedByStep && { startedByStep }),
      ...(packs.has(name) && { pack: packs.get(name) as string }),
    }),
  );
  return [...masters, ...others, ...ofMessageBuses(topology)];
}

/** A process per message bus: the daemon is its master. */
function ofMessageBuses({ messageBuses }: Topology): AgentPlan[] {
  const user = { uid: 0, gid: 0 };
  const daemons = messageBuses?.buses.map(
    ({ name, node }): AgentPlan => ({ name: masterOf(name), node, role: 'master', bus: name, user }),
  );
  const clients = messageBuses?.clients.map(
    ({ name, node, bus }): AgentPlan => ({ name, node, role: 'client', bus, user }),
  );
  const programs = messageBuses?.programs.map(
    ({ name, node, bus }): AgentPlan => ({ name, node, role: 'client', bus, user }),
  );
  return [...(daemons ?? []), ...(clients ?? []), ...(programs ?? [])];
}
