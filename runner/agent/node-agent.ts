// SPDX-License-Identifier: MIT
/** The agent of a node: starts the node's agents, passes lines on, sends signals, and ends all agents. */

import type { AgentProcess, Machine, Spawn, ToRunner } from './machine.ts';
import { type AddressedOrder, type AgentOrder, type NodeOrder, PROTOCOL_VERSION } from './protocol.ts';
import { systemError } from './system-error.ts';

export class NodeAgent {
  readonly #machine: Machine;
  readonly #upstream: ToRunner;
  readonly #children = new Map<string, AgentProcess>();
  #kernelLog: ReturnType<Machine['openKernelLog']> = null;
  /** The runner will go away, and the node stays up. */
  detached = false;

  constructor(machine: Machine, upstream: ToRunner) {
    this.#machine = machine;
    this.#upstream = upstream;
  }

  hello(): void {
    const { pid } = this.#machine;
    const [bus, kernel] = [this.#machine.bus(), this.#machine.kernel()];
    this.#upstream.say({ say: 'hello', version: PROTOCOL_VERSION, kernel, bus, pid });
  }

  async take(order: NodeOrder): Promise<void> {
    switch (order.do) {
      case 'spawn':
        return this.#spawn(order);
      case 'tell':
        return this.#tell(order.agents, order.order);
      case 'tell-in-turn':
        return this.#tellInTurn(order.orders);
      case 'signal': {
        const { agent, signal } = order;
        const began = this.#machine.now();
        await this.#children.get(agent)?.signal(signal);
        return this.#upstream.say({ say: 'signalled', agent, signal, began, t: this.#machine.now() });
      }
      case 'limit-memory':
        return this.#limitMemory(order.agent, order.bytes);
      case 'watch-kernel':
        this.#kernelLog ??= this.#machine.openKernelLog();
        return;
      case 'end':
        await this.endChildren();
        this.#tellKernel();
        return this.#upstream.say({ say: 'ended', socketsLeft: this.#machine.socketsLeft() });
      case 'detach':
        return this.#detach();
    }
  }

  /**
   * Kills the agents: they have nothing to save, the kernel closes their descriptors, and an orderly end of Node takes
   * long.
   */
  async endChildren(): Promise<void> {
    await Promise.all([...new Set(this.#children.values())].map((child) => child.signal('SIGKILL')));
  }

  #spawn(order: Spawn): void {
    const { agent } = order;
    try {
      const child = this.#machine.start(order);
      this.#children.set(agent, child);
      void child.closed.then(() => this.#children.delete(agent));
    } catch (e) {
      const error = (e as Error).message;
      this.#upstream.say({ say: 'exit', agent, code: null, signal: null, error });
    }
  }

  #tell(agents: readonly string[], order: AgentOrder): void {
    for (const [child, those] of this.#stretches(agents, (agent) => agent)) child?.tell(those, order);
  }

  /** Groups neighbours that belong to one process, together with that process: undefined for agents that have ended. */
  #stretches<T>(list: readonly T[], agentOf: (item: T) => string): [AgentProcess | undefined, T[]][] {
    const stretches: [AgentProcess | undefined, T[]][] = [];
    for (const item of list) {
      const child = this.#children.get(agentOf(item));
      const last = stretches.at(-1);
      if (last && last[0] === child) last[1].push(item);
      else stretches.push([child, [item]]);
    }
    return stretches;
  }

  async #tellInTurn(orders: readonly AddressedOrder[]): Promise<void> {
    const stretches = this.#stretches(orders, ({ agent }) => agent);
    const last = stretches.pop();
    for (const [child, those] of stretches) if (!(await child?.inTurn(those))) return;
    // Nothing waits for its answers here.
    last?.[0]?.tellInTurn(last[1]);
  }

  async #limitMemory(agent: string, bytes: number): Promise<void> {
    const began = this.#machine.now();
    try {
      await this.#children.get(agent)?.limitMemory(bytes);
      this.#upstream.say({ say: 'limited', agent, began, t: this.#machine.now() });
    } catch (error) {
      this.#upstream.say({ say: 'not-limited', agent, error: systemError(error) });
    }
  }

  async #detach(): Promise<void> {
    this.detached = true;
    this.#tellKernel();
    await this.#upstream.sayLast({ say: 'detached' });
  }

  #tellKernel(): void {
    for (const record of this.#kernelLog?.take() ?? []) this.#upstream.say({ say: 'kernel', ...record });
  }
}
