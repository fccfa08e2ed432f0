// SPDX-License-Identifier: MIT
/** A lab of made-up agents: they speak the protocol, answer at once, and write down the orders that they got. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AddressedOrder,
  type AgentOrder,
  type AgentReport,
  type NodeOrder,
  type NodeReport,
  PROTOCOL_VERSION,
} from '../../../runner/agent/protocol.ts';
import { wallClock } from '../../../runner/common/clock.ts';
import { load } from '../../../runner/load/index.ts';
import { type Plan, plan } from '../../../runner/plan/index.ts';
import type { Lab, NodeConnection } from '../../../runner/provision/lab.ts';

/** Reports instead of the usual ones; undefined for the usual ones. */
export type Script = (agent: string, order: AgentOrder, lab: FakeLab) => readonly AgentReport[] | undefined;

/** `camera drain`, `cabin.master fence`: who got which order, in turn. */
export type Line = string;

export class FakeLab implements Lab {
  readonly run = 'fake';
  readonly where = { backend: 'docker', launcher: 'process', kernel: 'none' } as const;
  readonly clock = wallClock;
  readonly nodes: ReadonlyMap<string, FakeNode>;
  readonly orders: Line[] = [];
  readonly #broken = Promise.withResolvers<never>();
  readonly script: Script;
  /** What comes of a limit of memory. */
  limited = (agent: string): NodeReport[] => [
    { say: 'exit', agent, code: null, signal: 'SIGKILL' },
    { say: 'limited', agent, began: this.tick(), t: this.tick() },
  ];
  time = 1000;
  addresses = 0;

  constructor(names: readonly string[], script: Script = () => undefined) {
    this.script = script;
    this.nodes = new Map(names.map((name) => [name, new FakeNode(name, this)]));
    this.#broken.promise.catch(() => {});
  }

  get broken(): Promise<never> {
    return this.#broken.promise;
  }

  break(error: Error): void {
    this.#broken.reject(error);
  }

  /** Says it as the agent, wherever that runs. */
  say(agent: string, report: AgentReport): void {
    this.nodeOf(agent).report({ say: 'heard', agent, report });
  }

  nodeOf(agent: string): FakeNode {
    const node = [...this.nodes.values()].find((n) => n.agents.has(agent));
    if (!node) throw new Error(`nobody started ${agent}`);
    return node;
  }

  tick(): number {
    this.time += 10;
    return this.time;
  }
}

export class FakeNode implements NodeConnection {
  readonly hello = {
    say: 'hello',
    version: PROTOCOL_VERSION,
    kernel: 'none',
    bus: { family: 19 },
    pid: 1,
  } as const;
  readonly agents = new Set<string>();
  readonly name: string;
  readonly #lab: FakeLab;
  readonly #closed = Promise.withResolvers<string>();
  #listener: (report: NodeReport) => void = () => {};

  constructor(name: string, lab: FakeLab) {
    this.name = name;
    this.#lab = lab;
  }

  get closed(): Promise<string> {
    return this.#closed.promise;
  }

  close(why: string): void {
    this.#closed.resolve(why);
  }

  release(): void {}

  onReport(listener: (report: NodeReport) => void): void {
    this.#listener = listener;
  }

  report(report: NodeReport): void {
    this.#listener(report);
  }

  tell(order: NodeOrder): void {
    queueMicrotask(() => this.#take(order));
  }

  #take(order: NodeOrder): void {
    const lab = this.#lab;
    switch (order.do) {
      case 'spawn':
        this.agents.add(order.agent);
        lab.say(order.agent, { say: 'ready', pid: 100 + this.agents.size, pidNamespace: this.name });
        break;
      case 'tell':
        for (const agent of order.agents) this.#tell({ agent, order: order.order });
        break;
      case 'tell-in-turn':
        for (const each of order.orders) if (!this.#tell(each)) break;
        break;
      case 'signal':
        lab.orders.push(`${order.agent} ${order.signal}`);
        this.#signal(order.agent, order.signal);
        break;
      case 'limit-memory':
        for (const report of lab.limited(order.agent)) this.report(report);
        break;
      case 'end':
        for (const agent of this.agents) this.report({ say: 'exit', agent, code: 0, signal: null });
        this.report({ say: 'ended', socketsLeft: 0 });
        break;
      case 'detach':
        this.report({ say: 'detached' });
    }
  }

  /** Whether it was carried out. */
  #tell({ agent, order }: AddressedOrder): boolean {
    const lab = this.#lab;
    lab.orders.push(`${agent} ${order.do}`);
    const reports = lab.script(agent, order, lab) ?? usual(order, lab);
    for (const report of reports) lab.say(agent, report);
    return reports.some(({ say }) => say === 'done');
  }

  #signal(agent: string, signal: Extract<NodeOrder, { do: 'signal' }>['signal']): void {
    if (signal === 'SIGKILL' || signal === 'SIGTERM') {
      this.agents.delete(agent);
      this.report({ say: 'exit', agent, code: null, signal });
    }
    this.report({ say: 'signalled', agent, signal, began: this.#lab.tick(), t: this.#lab.tick() });
  }
}

export const done = (lab: FakeLab, { id }: AgentOrder, result?: object): AgentReport => ({
  say: 'done',
  id,
  began: lab.tick(),
  t: lab.tick(),
  ...(result && { result }),
});

function usual(order: AgentOrder, lab: FakeLab): readonly AgentReport[] {
  if (order.do === 'send') {
    const list = Array.from(
      { length: order.count },
      (_, i) => [order.first + i, lab.tick(), lab.tick(), null] as const,
    );
    return [{ say: 'sends', list }, done(lab, order)];
  }
  if (order.do === 'connect') {
    const address = `0000/${(++lab.addresses).toString(16).padStart(12, '0')}`;
    return [done(lab, order, { address })];
  }
  if (order.do === 'await-blocked') return [done(lab, order, { blocked: order.blocked, message: 0 })];
  if (order.do === 'await-end') return [done(lab, order, { ended: true })];
  return [done(lab, order)];
}

/** A step: one sends the other something. */
export const hi = (from: string, to: string, count = 1): string =>
  `{ send: { from: ${from}, to: ${to}, count: ${count} }, expect: { recipients: [${to}] } }`;

/** The plan of a topology given as text. */
export function planOf(yaml: string): Plan {
  const folder = mkdtempSync(join(tmpdir(), 'afbus-run-'));
  try {
    const file = join(folder, 'test.topo.yaml');
    writeFileSync(file, `apiVersion: afbus-topo/v1\nname: test\n${yaml}`);
    const { topology, diagnostics } = load(file);
    if (!topology) throw new Error(diagnostics.map((d) => d.message).join('\n'));
    return plan(topology, { seed: 1 });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
