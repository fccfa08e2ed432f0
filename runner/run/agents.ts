// SPDX-License-Identifier: MIT
/** All agents of a run: an order goes to the node of its agent, and the answer resolves a promise. */

import type {
  AddressedOrder,
  AgentOrder,
  AgentReport,
  NodeReport,
  Order,
  PackedBatch,
  SystemErrorData,
} from '../agent/protocol.ts';
import type { Time } from '../common/clock.ts';
import type { TopoError } from '../common/errors.ts';
import { LIMITS } from '../common/limits.ts';
import type { AgentPlan } from '../plan/plan.ts';
import type { Lab, NodeConnection } from '../provision/lab.ts';
import type { Signal } from '../topology/faults.ts';
import { type Lane, parseLane } from '../topology/lane.ts';
import type { Collector } from '../trace/collect.ts';
import { crashed, nodeEnded, violated } from './broken.ts';
import { isNodeReport } from './form.ts';
import { OrderFailed } from './order-failed.ts';
import { type Answer, type Key, type Purpose, Waits } from './waits.ts';

interface Agent {
  readonly plan: AgentPlan;
  readonly node: NodeConnection;
  readonly stderr: string[];
  pid: number;
  pidNamespace: string;
  alive: boolean;
  /** Whether the run itself causes its end; `by the kernel` if its memory is limited. */
  wanted: boolean | 'by the kernel';
}

export interface Call {
  readonly agent: string;
  readonly order: Order;
  readonly purpose: Purpose;
}

type Environment = (node: string) => Readonly<Record<string, string>>;

const STDERR_LINES = 10;

export class Agents {
  readonly waits = new Waits();
  readonly #collector: Collector;
  readonly #agents: ReadonlyMap<string, Agent>;
  readonly #listeners: ((agent: string, report: AgentReport) => void)[] = [];
  #nextId = 1;
  #environment: Environment = () => ({});

  constructor(plans: readonly AgentPlan[], lab: Lab, collector: Collector) {
    this.#collector = collector;
    this.#agents = new Map(plans.map((plan) => [plan.name, newAgent(plan, lab)]));
    for (const node of lab.nodes.values()) {
      node.onReport((report) => this.#hear(node.name, report));
      void node.closed.then((why) => this.waits.end(nodeEnded(node.name, why)));
    }
  }

  /** Starts every agent but those that a step starts; resolves when all are ready. */
  async spawn(environment: Environment): Promise<void> {
    this.#environment = environment;
    const now = [...this.#agents.values()].filter(({ plan }) => plan.startedByStep !== true);
    await Promise.all(
      now.map(({ plan }) => this.start(plan.name, { what: `the process of ${plan.name} to start` })),
    );
  }

  /** Resolves when the agent is ready. */
  async start(agent: string, purpose: Purpose): Promise<void> {
    const target = this.#agent(agent);
    const { plan, node } = target;
    const ready = this.waits.add({ who: agent, answer: 'ready' }, purpose);
    target.alive = true;
    const pack = plan.pack === undefined ? {} : { pack: plan.pack };
    node.tell({ do: 'spawn', agent, user: plan.user, env: this.#environment(plan.node), ...pack });
    await ready;
  }

  /** Resolves with the answer; rejects with OrderFailed, or with the error that ended the run. */
  call(agent: string, order: Order, purpose: Purpose): Promise<Answer> {
    const [answer] = this.callAll([agent], order, () => purpose);
    return answer as Promise<Answer>;
  }

  /** The same order for many agents: sent to each node once, and answered by each agent. */
  callAll(names: readonly string[], order: Order, purpose: (agent: string) => Purpose): Promise<Answer>[] {
    const id = this.#nextId++;
    const byNode = new Map<NodeConnection, string[]>();
    const answers = names.map((agent) => {
      const { node, alive } = this.#agent(agent);
      if (!alive) return Promise.resolve({ gone: true });
      const those = byNode.get(node);
      if (those) those.push(agent);
      else byNode.set(node, [agent]);
      return this.waits.add({ who: agent, answer: id }, purpose(agent));
    });
    for (const [node, agents] of byNode)
      node.tell({ do: 'tell', agents, order: { id, ...order } as AgentOrder });
    return answers;
  }

  /**
   * Orders for agents of one node, each carried out after the one before it; after one that fails, none is carried out.
   */
  callInTurn(calls: readonly Call[]): Promise<Answer>[] {
    const [first] = calls;
    if (!first) return [];
    const orders: AddressedOrder[] = [];
    const answers = calls.map(({ agent, order, purpose }) => {
      if (!this.#agent(agent).alive) return Promise.resolve({ gone: true });
      const id = this.#nextId++;
      orders.push({ agent, order: { id, ...order } as AgentOrder });
      const answer = this.waits.add({ who: agent, answer: id }, purpose);
      const next = orders.length;
      answer.catch((error) => {
        if (error instanceof OrderFailed) this.#dropped(orders.slice(next), error);
      });
      return answer;
    });
    this.#agent(first.agent).node.tell({ do: 'tell-in-turn', orders });
    return answers;
  }

  /** Nobody will answer these orders: one before them has failed. */
  #dropped(orders: readonly AddressedOrder[], error: OrderFailed): void {
    for (const { agent, order } of orders) this.waits.take({ who: agent, answer: order.id })?.reject(error);
  }

  nodeOf(agent: string): string {
    return this.#agent(agent).plan.node;
  }

  /** Resolves when the signal has taken effect. An end that the signal causes is wanted. */
  signal(agent: string, signal: Signal, purpose: Purpose): Promise<Answer> {
    const target = this.#agent(agent);
    if (!target.alive) return Promise.resolve({ gone: true });
    if (signal === 'SIGKILL' || signal === 'SIGTERM') target.wanted = true;
    // The node answers, also if the agent has ended.
    const effect = this.waits.add({ who: target.node.name, answer: `${signal} ${agent}` }, purpose);
    target.node.tell({ do: 'signal', agent, signal });
    return effect;
  }

  /** Lets the agent use that many more bytes; resolves when the kernel has killed it, rejects with OrderFailed. */
  async limitMemory(agent: string, bytes: number, purpose: Purpose): Promise<Answer> {
    const target = this.#agent(agent);
    if (!target.alive) return { gone: true };
    target.wanted = 'by the kernel';
    const end = this.waits.add({ who: target.node.name, answer: `limit ${agent}` }, purpose);
    target.node.tell({ do: 'limit-memory', agent, bytes });
    return await end.catch((error) => {
      // The end of the run takes no limit away.
      if (error instanceof OrderFailed) target.wanted = false;
      throw error;
    });
  }

  /** From now on every agent may end. */
  expectEnds(): void {
    for (const agent of this.#agents.values()) agent.wanted = true;
  }

  /** Calls `listener` for every report of every agent, after the collector has seen it. */
  onReport(listener: (agent: string, report: AgentReport) => void): void {
    this.#listeners.push(listener);
  }

  alive(agent: string): boolean {
    return this.#agent(agent).alive;
  }

  identity(agent: string): { readonly pid: number; readonly pidNamespace: string } {
    const { pid, pidNamespace } = this.#agent(agent);
    return { pid, pidNamespace };
  }

  abort(error: TopoError): void {
    this.waits.end(error);
  }

  /**
   * A node with an invalid report ends the run, with an error that names the node. It may not report about agents of
   * other nodes.
   */
  #hear(node: string, report: unknown): void {
    try {
      if (!isNodeReport(report)) throw new Error('a report is not of the form that it must have');
      if ('agent' in report) this.#checkOwner(node, report);
      if (report.say === 'batches') this.#checkTakers(node, report.list);
      this.#take(node, report);
    } catch (error) {
      this.waits.end(violated(node, error as Error));
    }
  }

  #checkOwner(node: string, report: Extract<NodeReport, { agent: string }>): void {
    const { agent } = report;
    if (!this.#isOf(node, agent)) throw new Error(`it has no agent of the name ${agent}`);
    if (report.say !== 'heard') return;
    for (const lane of lanesOf(report.report)) {
      const parts = parseLane(lane);
      const known = this.#agents.has(parts.agent) && this.#agents.has(parts.client);
      if (parts.agent !== agent || !known) throw new Error(`${agent} has no socket of the name ${lane}`);
    }
  }

  #checkTakers(node: string, list: readonly PackedBatch[]): void {
    for (const { takers } of list) {
      for (const [lane] of takers) {
        const { agent, client } = parseLane(lane);
        if (!this.#isOf(node, agent) || !this.#agents.has(client))
          throw new Error(`it has no socket of the name ${lane}`);
      }
    }
  }

  #isOf(node: string, agent: string): boolean {
    return this.#agents.get(agent)?.plan.node === node;
  }

  #take(node: string, report: NodeReport): void {
    switch (report.say) {
      case 'batches':
        this.#collector.batches(report.list);
        break;
      case 'heard':
        this.#heard(this.#agent(report.agent), report.report);
        break;
      case 'signalled':
        this.#took(node, `${report.signal} ${report.agent}`, report);
        break;
      case 'limited':
        this.#took(node, `limit ${report.agent}`, report);
        break;
      case 'not-limited':
        this.#failed(node, `limit ${report.agent}`, report.error);
        break;
      case 'stderr':
        this.#stderr(this.#agent(report.agent), report.text);
        break;
      case 'exit':
        this.#exit(node, this.#agent(report.agent), report);
        break;
      case 'kernel':
        this.#collector.kernel({ level: report.level, text: report.text });
        break;
      case 'ended':
        this.waits.take({ who: node, answer: 'ended' })?.resolve({ socketsLeft: report.socketsLeft });
        break;
      case 'detached':
        this.waits.take({ who: node, answer: 'detached' })?.resolve({});
        break;
    }
  }

  #heard(agent: Agent, report: AgentReport): void {
    const { name } = agent.plan;
    this.#collector.heard(name, report);
    for (const listener of this.#listeners) listener(name, report);
    switch (report.say) {
      case 'ready':
        Object.assign(agent, { pid: report.pid, pidNamespace: report.pidNamespace });
        this.waits.take({ who: name, answer: 'ready' })?.resolve({});
        break;
      case 'done':
        this.waits
          .take({ who: name, answer: report.id })
          ?.resolve({ ...report.result, began: report.began, t: report.t });
        break;
      case 'failed':
        this.#failed(name, report.id, report.error);
        break;
    }
  }

  #took(node: string, answer: Key['answer'], { began, t }: { readonly began: Time; readonly t: Time }): void {
    this.#collector.tick(t);
    this.waits.take({ who: node, answer })?.resolve({ began, t });
  }

  #failed(who: string, answer: Key['answer'], error: SystemErrorData): void {
    const wait = this.waits.take({ who, answer });
    wait?.reject(new OrderFailed(wait, error));
  }

  #exit(node: string, agent: Agent, report: Extract<NodeReport, { say: 'exit' }>): void {
    const { code, signal } = report;
    agent.alive = false;
    const wanted = agent.wanted === 'by the kernel' ? signal === 'SIGKILL' : agent.wanted;
    this.#collector.exit({ agent: report.agent, code, signal, wanted });
    if (wanted) this.waits.gone(report.agent);
    else this.waits.end(crashed(node, report, agent.stderr));
  }

  #stderr(agent: Agent, text: string): void {
    this.#collector.log({ agent: agent.plan.name, text });
    const kept = text.slice(-LIMITS.stderrBytes.most);
    agent.stderr.push(...kept.split('\n').filter((line) => line !== ''));
    agent.stderr.splice(0, agent.stderr.length - STDERR_LINES);
  }

  #agent(name: string): Agent {
    const agent = this.#agents.get(name);
    if (!agent) throw new Error(`no agent of this plan: ${name}`);
    return agent;
  }
}

/** The lanes that a report mentions. */
function lanesOf(report: AgentReport): readonly Lane[] {
  if (report.say === 'deliveries') return report.list.map(({ lane }) => lane);
  return report.say === 'end' ? [report.lane] : [];
}

function newAgent(plan: AgentPlan, lab: Lab): Agent {
  const node = lab.nodes.get(plan.node);
  if (!node) throw new Error(`the lab has no node ${plan.node}, where ${plan.name} belongs`);
  return {
    plan,
    node,
    stderr: [],
    pid: 0,
    pidNamespace: '',
    alive: plan.startedByStep !== true,
    wanted: false,
  };
}
