// SPDX-License-Identifier: MIT
/** An agent as a process of its own, or several that share one: orders from stdin, reports to stdout. */

import { readlinkSync } from 'node:fs';
import { Agent } from './agent.ts';
import { listen, listenToLines, say } from './channel.ts';
import { linux } from './linux.ts';
import type { AgentOrder } from './protocol.ts';

/** Runs until the node agent goes away or SIGTERM comes. */
export function runAgent(): void {
  const agent = new Agent(linux, say);
  const leave = () => {
    agent.flush();
    process.exit(0);
  };
  process.on('SIGTERM', leave);
  listen((order) => void agent.take(order), leave);
  agent.ready(process.pid, readlinkSync('/proc/self/ns/pid'));
}

/** Lines are those of agents, behind a name and a tab; one without more starts the agent (pack.ts). */
export function runPack(): void {
  const agents = new Map<string, Agent>();
  const namespace = readlinkSync('/proc/self/ns/pid');
  const leave = () => {
    for (const agent of agents.values()) agent.flush();
    process.exit(0);
  };
  const start = (name: string) => {
    const agent = new Agent(linux, (report) => say(report, `${name}\t`));
    agents.set(name, agent);
    agent.ready(process.pid, namespace);
  };
  process.on('SIGTERM', leave);
  listenToLines((line) => {
    const at = line.indexOf('\t');
    const [name, order] = [line.slice(0, at), line.slice(at + 1)];
    if (order === '') start(name);
    else void agents.get(name)?.take(JSON.parse(order) as AgentOrder);
  }, leave);
}
