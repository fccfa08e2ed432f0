// SPDX-License-Identifier: MIT
/** One client or master: takes orders, answers each once. */

import type { Batches } from './batches.ts';
import { Client } from './client.ts';
import { Daemon } from './daemon.ts';
import { DbusClient } from './dbus-client.ts';
import { Master } from './master.ts';
import { Pipes } from './pipes.ts';
import { Program } from './program.ts';
import type { AgentOrder, AgentReport, Order } from './protocol.ts';
import { Reports } from './reports.ts';
import { carryOut, type Role, type Tools } from './roles.ts';
import { Sending } from './sending.ts';
import type { System } from './system.ts';
import { systemError } from './system-error.ts';

export class Agent {
  readonly #tools: Tools;
  #role: Role | null = null;

  constructor(system: System, say: (report: AgentReport) => void, batches: Batches) {
    const reports = new Reports(system.clock, say, batches);
    const pipes = new Pipes(system, reports);
    this.#tools = { system, reports, pipes, sending: new Sending(system, reports, pipes) };
  }

  ready(pid: number, pidNamespace: string): void {
    this.#tools.reports.say({ say: 'ready', pid, pidNamespace });
  }

  /** Carries the order out and answers it; resolves with whether it succeeded. */
  async take(order: AgentOrder): Promise<boolean> {
    const { reports, system } = this.#tools;
    this.#role ??= roleFor(order, this.#tools);
    const { id } = order;
    const began = system.now();
    try {
      const result = await carryOut(order, this.#role, this.#tools);
      reports.say({ say: 'done', id, began, t: system.now(), ...(result && { result }) });
      return true;
    } catch (error) {
      reports.say({ say: 'failed', id, t: system.now(), error: systemError(error) });
      return false;
    }
  }

  /** Sends what is still batched. */
  flush(): void {
    this.#tools.reports.flush();
  }
}

/** The first order tells which role the agent has. */
function roleFor(order: Order, tools: Tools): Role {
  switch (order.do) {
    case 'listen':
      return new Master(tools);
    case 'serve-dbus':
      return new Daemon(tools);
    case 'be-startable':
    case 'join-dbus':
      return new DbusClient(tools);
    case 'run-program':
      return new Program(tools);
    default:
      return new Client(tools);
  }
}
