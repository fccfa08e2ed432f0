// SPDX-License-Identifier: MIT
/**
 * One process that holds several agents, for topologies of thousands. Its lines carry the agent's name and a tab before
 * what an agent's own would say. No signal is for one agent alone: whoever gets them has a process of its own.
 */

import { gathering } from '../common/gather.ts';
import { Lines } from '../common/lines.ts';
import type { Signal } from '../topology/faults.ts';
import { Answers } from './answers.ts';
import { launch, type Process } from './child.ts';
import type { AgentProcess, Machine, Spawn } from './machine.ts';
import type { AgentOrder } from './protocol.ts';
import type { Upstream } from './upstream.ts';

const TAB = '\t'.charCodeAt(0);

/** Starts agents: those of one pack in one process, which their first one starts. */
export function packing(single: Machine['start'], upstream: Upstream): Machine['start'] {
  const packs = new Map<string, Pack>();
  return (order) => {
    if (order.pack === undefined) return single(order);
    const pack = packs.get(order.pack) ?? new Pack(order, upstream);
    packs.set(order.pack, pack);
    return pack.add(order.agent);
  };
}

class Pack {
  readonly #process: Process;
  readonly #upstream: Upstream;
  readonly #write: (line: string) => void;
  readonly #answers = new Answers();
  readonly #members: string[] = [];
  readonly #closed: Promise<void>;
  #error: string | undefined;

  constructor(order: Spawn, upstream: Upstream) {
    this.#upstream = upstream;
    this.#process = launch('pack', order.pack ?? '', order);
    this.#write = gathering(this.#process.stdin);
    this.#closed = new Promise((resolve) => this.#follow(resolve));
  }

  add(agent: string): AgentProcess {
    this.#members.push(agent);
    this.#upstream.say({ say: 'spawned', agent, pid: this.#process.pid ?? 0 });
    this.#write(`${agent}\t\n`);
    const tell = (order: AgentOrder) => this.#write(`${agent}\t${JSON.stringify(order)}\n`);
    return {
      name: agent,
      closed: this.#closed,
      tell,
      ask: (order: AgentOrder) => {
        const answer = this.#answers.wait(order.id);
        tell(order);
        return answer;
      },
      signal: async (signal: Signal) => {
        if (signal !== 'SIGKILL') throw new Error(`${agent} shares its process and takes no ${signal}`);
        this.#process.kill(signal);
        await this.#closed;
      },
      limitMemory: async () => {
        throw new Error(`${agent} shares its process, and so its memory`);
      },
    };
  }

  #follow(closed: () => void): void {
    const child = this.#process;
    child.once('error', (error) => {
      this.#error = error.message;
    });
    const lines = new Lines((line) => {
      const at = line.indexOf(TAB);
      const head = `{"say":"heard","agent":${JSON.stringify(line.toString('utf8', 0, at))},"report":`;
      const report = line.subarray(at + 1);
      this.#upstream.wrap(head, report);
      this.#answers.see(report);
    });
    child.stdout.on('data', (chunk: Buffer) => lines.push(chunk));
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => {
      for (const agent of this.#members) this.#upstream.say({ say: 'stderr', agent, text });
    });
    child.stdin.on('error', () => {}); // it ended; `close` tells how
    child.once('close', (code, signal) => {
      const error = this.#error === undefined ? {} : { error: this.#error };
      for (const agent of this.#members) this.#upstream.say({ say: 'exit', agent, code, signal, ...error });
      this.#answers.end();
      closed();
    });
  }
}
