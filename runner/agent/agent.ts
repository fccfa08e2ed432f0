// SPDX-License-Identifier: MIT
/** One client or master: takes orders, answers each once. */

import { Client } from './client.ts';
import { Master } from './master.ts';
import { Pipes } from './pipes.ts';
import type { AgentOrder, AgentReport } from './protocol.ts';
import { Reports } from './reports.ts';
import { carryOut, type Role, type Tools } from './roles.ts';
import { Sending } from './sending.ts';
import type { System } from './system.ts';
import { systemError } from './system-error.ts';

export class Agent {
  readonly #tools: Tools;
  #role: Role | null = null;

  constructor(system: System, say: (report: AgentReport) => void) {
    const reports = new Reports(system.clock, say);
    const pipes = new Pipes(system, reports);
    this.#tools = { system, reports, pipes, sending: new Sending(system, reports, pipes) };
  }

  ready(pid: number, pidNamespace: string): void {
    this.#tools.reports.say({ say: 'ready', pid, pidNamespace });
  }

  /** Whether it was carried out. */
  async take(order: AgentOrder): Promise<boolean> {
    const { reports, system } = this.#tools;
    this.#role ??= order.do === 'listen' ? new Master(this.#tools) : new Client(this.#tools);
    const { id } = order;
    try {
      const result = await carryOut(order, this.#role, this.#tools);
      reports.say({ say: 'done', id, t: system.now(), ...(result && { result }) });
      return true;
    } catch (error) {
      reports.say({ say: 'failed', id, t: system.now(), error: systemError(error) });
      return false;
    }
  }

  /** The last words: what was seen and not told yet. */
  flush(): void {
    this.#tools.reports.flush();
  }
}
