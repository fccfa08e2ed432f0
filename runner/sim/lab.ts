// SPDX-License-Identifier: MIT
/** Makes a lab of simulated nodes for a plan, each with the real node agent. */

import { NodeAgent } from '../agent/node-agent.ts';
import type { NodeReport } from '../agent/protocol.ts';
import type { Plan } from '../plan/plan.ts';
import type { Lab, NodeConnection } from '../provision/lab.ts';
import type { Where } from '../provision/where.ts';
import { type SimContext, simMachine } from './machine.ts';
import type { Process } from './scheduler.ts';

export interface LabOptions {
  readonly run: string;
  readonly where: Where;
  readonly context: SimContext;
  /** The runner itself, as a simulated process. */
  readonly runner: Process;
  readonly onNode: (name: string) => void;
}

/** Resolves when every node has said hello. */
export async function simLab({ topology }: Plan, options: LabOptions): Promise<Lab> {
  const { run, where, runner, onNode } = options;
  const nodes = await Promise.all(
    topology.nodes.map(async ({ name }) => {
      const connection = await connect(name, options);
      onNode(name);
      return [name, connection] as const;
    }),
  );
  return { run, where, clock: runner.clock, nodes: new Map(nodes), broken: new Promise(() => {}) };
}

type Hello = NodeConnection['hello'];

function connect(name: string, { context, runner }: LabOptions): Promise<NodeConnection> {
  const { promise, resolve } = Promise.withResolvers<NodeConnection>();
  const node = context.scheduler.process(`node ${name}`);
  let listener: (report: NodeReport) => void = (report) => resolve(connectionOf(report as Hello));
  const upstream = {
    say: (report: NodeReport) => runner.post(() => listener(report)),
    sayLast: async (report: NodeReport) => upstream.say(report),
  };
  const agent = new NodeAgent(simMachine(context, name, upstream), upstream);
  const connectionOf = (hello: Hello): NodeConnection => ({
    name,
    hello,
    tell: (order) => node.order(() => void agent.take(order)),
    onReport: (to) => {
      listener = to;
    },
    closed: new Promise(() => {}),
    release: () => {},
  });
  node.post(() => agent.hello());
  return promise;
}
