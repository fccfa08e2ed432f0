// SPDX-License-Identifier: MIT
/** A process of agents as its node agent sees it: a child whose lines are passed on. */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gathering } from '../common/gather.ts';
import { WholeLines } from '../common/lines.ts';
import type { Signal } from '../topology/faults.ts';
import { Answers } from './answers.ts';
import type { AgentProcess, Machine, Spawn } from './machine.ts';
import { limitMemory } from './memory-limit.ts';
import type { AddressedOrder, AgentOrder, NodeReport, ProcessOrder } from './protocol.ts';
import type { Upstream } from './upstream.ts';

/** Starts agents. Those of one pack share a process, which is started for the first of them. */
export function childrenOf(upstream: Upstream): Machine['start'] {
  const packs = new Map<string, Child>();
  return (order) => {
    const child = (order.pack && packs.get(order.pack)) || new Child(order, upstream);
    if (order.pack !== undefined) packs.set(order.pack, child);
    child.add(order.agent);
    return child;
  };
}

class Child implements AgentProcess {
  readonly closed: Promise<void>;
  /** Signals and limits are about whole processes. */
  readonly #shared: boolean;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #upstream: Upstream;
  readonly #write: (line: string) => void;
  readonly #answers = new Answers();
  readonly #members: string[] = [];
  /** Why there is no process; the exit report says it. */
  #error: string | undefined;

  constructor(order: Spawn, upstream: Upstream) {
    this.#shared = order.pack !== undefined;
    this.#upstream = upstream;
    this.#process = launch(order);
    this.#write = gathering(this.#process.stdin);
    this.closed = new Promise((resolve) => this.#follow(resolve));
  }

  add(agent: string): void {
    const { pid } = this.#process;
    this.#members.push(agent);
    if (pid !== undefined) this.#upstream.say({ say: 'spawned', agent, pid });
    this.#order({ start: agent });
  }

  tell(agents: readonly string[], order: AgentOrder): void {
    this.#order({ agents, order });
  }

  tellInTurn(orders: readonly AddressedOrder[]): void {
    this.#order({ inTurn: orders });
  }

  inTurn(orders: readonly AddressedOrder[]): Promise<boolean> {
    const done = this.#answers.turn(orders.map(({ order }) => order.id));
    this.tellInTurn(orders);
    return done;
  }

  /** An agent ends only after its read of stdin has returned, so SIGTERM goes together with the end of stdin. */
  async signal(signal: Signal): Promise<void> {
    if (signal !== 'SIGKILL') this.#refuse(signal);
    this.#process.kill(signal);
    if (signal === 'SIGTERM') this.#process.stdin.end();
    if (signal === 'SIGSTOP') await this.#until((state) => state === 'T' || hasEnded(state));
    else if (signal === 'SIGCONT') await this.#until((state) => state !== 'T');
    else await this.closed;
  }

  async limitMemory(bytes: number): Promise<void> {
    this.#refuse('limit');
    const limit = limitMemory(this.#process.pid as number, bytes);
    await this.closed;
    limit.remove();
  }

  #refuse(what: string): void {
    if (this.#shared) throw new Error(`${this.#members.join(', ')} share a process, which takes no ${what}`);
  }

  #order(order: ProcessOrder): void {
    this.#write(`${JSON.stringify(order)}\n`);
  }

  #follow(closed: () => void): void {
    const child = this.#process;
    child.once('error', (error) => {
      this.#error = error.message;
    });
    const lines = new WholeLines((whole) => {
      this.#upstream.pass(whole);
      if (this.#answers.awaited) this.#hear(whole);
    });
    child.stdout.on('data', (chunk: Buffer) => lines.push(chunk));
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => {
      for (const agent of this.#members) this.#upstream.say({ say: 'stderr', agent, text });
    });
    child.stdin.on('error', () => {}); // the child has ended; `close` tells how
    child.once('close', (code, signal) => {
      const error = this.#error === undefined ? {} : { error: this.#error };
      for (const agent of this.#members) this.#upstream.say({ say: 'exit', agent, code, signal, ...error });
      this.#answers.end();
      closed();
    });
  }

  #hear(lines: Buffer): void {
    for (const line of lines.toString().trimEnd().split('\n')) {
      const said = JSON.parse(line) as NodeReport;
      if (said.say === 'heard') this.#answers.hear(said.report);
    }
  }

  async #until(reached: (state: string) => boolean): Promise<void> {
    while (!reached(stateOf(this.#process.pid))) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** This program again, as a process of agents (main.ts). */
function launch({ agent, pack, user, env }: Spawn): ChildProcessWithoutNullStreams {
  const { spawn } = process.getBuiltinModule('node:child_process');
  const [script = ''] = process.argv.slice(1);
  return spawn(process.execPath, [...process.execArgv, script, 'agent', pack ?? agent], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...identity(user),
  });
}

/** setuid() needs privilege even if it changes nothing, so an agent of our own user keeps its ids. */
function identity({ uid, gid }: Spawn['user']): { uid?: number; gid?: number } {
  return uid === process.getuid?.() && gid === process.getgid?.() ? {} : { uid, gid };
}

/** Zombies, and what is no longer there. */
const hasEnded = (state: string): boolean => state === 'Z' || state === 'X';

/** The state letter in /proc/PID/stat; X if there is no such process any more. */
function stateOf(pid: number | undefined): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat[stat.lastIndexOf(')') + 2] ?? 'X';
  } catch {
    return 'X';
  }
}
