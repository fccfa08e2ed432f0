// SPDX-License-Identifier: MIT
/** A simulated node: its agents are objects in this process, and separate processes for the scheduler. */

import { Agent } from '../agent/agent.ts';
import { Answers } from '../agent/answers.ts';
import { Batches } from '../agent/batches.ts';
import type { AgentProcess, Machine, Spawn, ToRunner } from '../agent/machine.ts';
import type { AddressedOrder, AgentOrder, AgentReport, NodeReport } from '../agent/protocol.ts';
import { takeInTurn } from '../agent/turn.ts';
import type { Random } from '../common/random.ts';
import type { Signal } from '../topology/faults.ts';
import type { Kernel } from './kernel.ts';
import { Owner } from './owner.ts';
import type { Process, Scheduler } from './scheduler.ts';
import { type Connected, simSystem } from './system.ts';

/** What all nodes of a lab share. */
export interface SimContext {
  readonly scheduler: Scheduler;
  readonly kernel: Kernel;
  readonly connected: Connected;
}

/** No kernel has registered the family. */
const NO_FAMILY = 0;

export function simMachine(context: SimContext, node: string, upstream: ToRunner): Machine {
  const { kernel, scheduler } = context;
  const pidNamespace = `pid:[${node}]`;
  let lastPid = 1;
  return {
    pid: lastPid,
    now: () => scheduler.now(),
    kernel: () => 'none',
    bus: () => ({ family: NO_FAMILY }),
    socketsLeft: () => kernel.socketsLeft,
    openKernelLog: () => ({ take: () => kernel.log.splice(0) }),
    start: (order) => new SimProcess(context, order, ++lastPid, pidNamespace, upstream),
  };
}

class SimProcess implements AgentProcess {
  readonly name: string;
  readonly #owner: Owner;
  readonly #process: Process;
  readonly #agent: Agent;
  readonly #upstream: ToRunner;
  readonly #random: Random;
  readonly #answers = new Answers();
  readonly #closed = Promise.withResolvers<void>();

  constructor(
    context: SimContext,
    { agent, user }: Spawn,
    pid: number,
    pidNamespace: string,
    upstream: ToRunner,
  ) {
    const { scheduler, kernel, connected } = context;
    this.name = agent;
    this.#upstream = upstream;
    this.#random = scheduler.random;
    this.#process = scheduler.process(agent);
    this.#owner = new Owner(this.#process, pid, pidNamespace, user);
    this.#owner.kill = () => this.#exit(null, 'SIGKILL');
    const system = simSystem(scheduler, kernel, this.#owner, connected);
    const say = (report: NodeReport) => {
      if (!this.#process.ended) upstream.say(report);
    };
    const hear = (report: AgentReport) => {
      if (this.#process.ended) return;
      upstream.say({ say: 'heard', agent, report });
      this.#answers.hear(report);
    };
    this.#agent = new Agent(system, hear, new Batches(system.clock, say));
    upstream.say({ say: 'spawned', agent, pid });
    this.#process.post(() => this.#agent.ready(pid, pidNamespace));
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  tell(_: readonly string[], order: AgentOrder): void {
    this.#process.order(() => void this.#agent.take(order));
  }

  tellInTurn(orders: readonly AddressedOrder[]): void {
    this.#process.order(() => void takeInTurn(orders, new Map([[this.name, this.#agent]])));
  }

  inTurn(orders: readonly AddressedOrder[]): Promise<boolean> {
    const done = this.#answers.turn(orders.map(({ order }) => order.id));
    this.tellInTurn(orders);
    return done;
  }

  async signal(signal: Signal): Promise<void> {
    if (signal === 'SIGSTOP') this.#process.pause();
    else if (signal === 'SIGCONT') this.#process.resume();
    else {
      if (signal === 'SIGKILL') this.#exit(null, signal);
      else this.#process.post(() => this.#leave());
      await this.closed;
    }
  }

  async limitMemory(bytes: number): Promise<void> {
    // An unknown part of the limit is used by the process's own pages.
    this.#owner.memory = bytes - this.#random.below(bytes / 2);
    await this.closed;
  }

  #leave(): void {
    this.#agent.flush();
    this.#exit(0, null);
  }

  #exit(code: number | null, signal: Signal | null): void {
    if (this.#process.ended) return;
    this.#owner.end();
    this.#upstream.say({ say: 'exit', agent: this.name, code, signal });
    this.#answers.end();
    this.#closed.resolve();
  }
}
