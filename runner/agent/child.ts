// SPDX-License-Identifier: MIT
/** One agent as its node agent sees it: a child process whose lines are passed on. */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gathering } from '../common/gather.ts';
import { Lines } from '../common/lines.ts';
import type { Signal } from '../topology/faults.ts';
import { Answers } from './answers.ts';
import type { AgentProcess, Spawn } from './machine.ts';
import { limitMemory } from './memory-limit.ts';
import type { AgentOrder } from './protocol.ts';
import type { Upstream } from './upstream.ts';

export type Process = ChildProcessWithoutNullStreams;

/** This program again, in one of its modes (main.ts). */
export function launch(mode: 'agent' | 'pack', name: string, { user, env }: Spawn): Process {
  const { spawn } = process.getBuiltinModule('node:child_process');
  const [script = ''] = process.argv.slice(1);
  return spawn(process.execPath, [...process.execArgv, script, mode, name], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...identity(user),
  });
}

export class Child implements AgentProcess {
  readonly name: string;
  readonly closed: Promise<void>;
  readonly #process: Process;
  readonly #upstream: Upstream;
  readonly #write: (line: string) => void;
  readonly #answers = new Answers();
  /** Told by the exit report: why there is no process. */
  #error: string | undefined;

  constructor(order: Spawn, upstream: Upstream) {
    this.name = order.agent;
    this.#upstream = upstream;
    this.#process = launch('agent', order.agent, order);
    this.#write = gathering(this.#process.stdin);
    this.closed = new Promise((resolve) => this.#follow(resolve));
  }

  tell(order: AgentOrder): void {
    this.#write(`${JSON.stringify(order)}\n`);
  }

  ask(order: AgentOrder): Promise<boolean> {
    const answer = this.#answers.wait(order.id);
    this.tell(order);
    return answer;
  }

  /** An agent that leaves waits for its read of stdin, so SIGTERM comes with the end of that. */
  async signal(signal: Signal): Promise<void> {
    this.#process.kill(signal);
    if (signal === 'SIGTERM') this.#process.stdin.end();
    if (signal === 'SIGSTOP') await this.#until((state) => state === 'T');
    else if (signal === 'SIGCONT') await this.#until((state) => state !== 'T');
    else await this.closed;
  }

  async limitMemory(bytes: number): Promise<void> {
    const limit = limitMemory(this.#process.pid as number, bytes);
    await this.closed;
    limit.remove();
  }

  #follow(closed: () => void): void {
    const child = this.#process;
    const { name } = this;
    child.once('spawn', () => this.#upstream.say({ say: 'spawned', agent: name, pid: child.pid as number }));
    child.once('error', (error) => {
      this.#error = error.message;
    });
    const head = `{"say":"heard","agent":${JSON.stringify(name)},"report":`;
    const lines = new Lines((line) => {
      this.#upstream.wrap(head, line);
      this.#answers.see(line);
    });
    child.stdout.on('data', (chunk: Buffer) => lines.push(chunk));
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => this.#upstream.say({ say: 'stderr', agent: name, text }));
    child.stdin.on('error', () => {}); // it ended; `close` tells how
    child.once('close', (code, signal) => {
      const error = this.#error === undefined ? {} : { error: this.#error };
      this.#upstream.say({ say: 'exit', agent: name, code, signal, ...error });
      this.#answers.end();
      closed();
    });
  }

  async #until(reached: (state: string) => boolean): Promise<void> {
    while (!reached(stateOf(this.#process.pid))) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Setting ids needs privilege even where it changes nothing, so an agent of our own user is left as it is. */
function identity({ uid, gid }: Spawn['user']): { uid?: number; gid?: number } {
  return uid === process.getuid?.() && gid === process.getgid?.() ? {} : { uid, gid };
}

/** The state letter of /proc/PID/stat; X when there is no such process any more. */
function stateOf(pid: number | undefined): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat[stat.lastIndexOf(')') + 2] ?? 'X';
  } catch {
    return 'X';
  }
}
