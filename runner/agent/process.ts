// SPDX-License-Identifier: MIT
/** A process of agents, one or several. It reads orders from stdin and writes reports to stdout. */

import { readlinkSync } from 'node:fs';
import { Agent } from './agent.ts';
import { Batches } from './batches.ts';
import { listen, Outbox } from './channel.ts';
import { linux, warmUp } from './linux.ts';
import type { ProcessOrder } from './protocol.ts';
import { takeInTurn } from './turn.ts';

/** Runs until the node agent closes stdin, or SIGTERM comes. */
export function runAgents(): void {
  const agents = new Map<string, Agent>();
  const outbox = new Outbox();
  const batches = new Batches(linux.clock, (report) => outbox.say(report));
  const namespace = readlinkSync('/proc/self/ns/pid');
  const leave = () => {
    for (const agent of agents.values()) agent.flush();
    process.exit(0);
  };
  const start = (name: string) => {
    const agent = new Agent(linux, (report) => outbox.say({ say: 'heard', agent: name, report }), batches);
    agents.set(name, agent);
    agent.ready(process.pid, namespace);
  };
  const take = (order: ProcessOrder) => {
    if ('start' in order) start(order.start);
    else if ('inTurn' in order) void takeInTurn(order.inTurn, agents);
    else for (const name of order.agents) void agents.get(name)?.take(order.order);
  };
  warmUp();
  process.on('SIGTERM', leave);
  listen(take, leave);
}
