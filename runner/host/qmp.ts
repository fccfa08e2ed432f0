// SPDX-License-Identifier: MIT
/** QEMU's machine protocol: one JSON object per line, here over QEMU's own stdin and stdout. */

import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';

type Answer = { return?: unknown; error?: { desc: string }; event?: string };

export class Qmp {
  readonly #output: Writable;
  readonly #waiting: ((answer: Answer) => void)[] = [];

  constructor(input: Readable, output: Writable) {
    this.#output = output;
    output.on('error', () => {}); // the end of QEMU is noticed by the owner of its process
    const lines = createInterface({ input });
    lines.on('line', (line) => this.#take(JSON.parse(line)));
    lines.on('close', () => {
      for (const give of this.#waiting.splice(0)) give({ error: { desc: 'QEMU ended' } });
    });
  }

  #take(answer: Answer): void {
    if ('return' in answer || answer.error) this.#waiting.shift()?.(answer);
  }

  /** Answers come in the order of the requests. */
  async do<T = unknown>(execute: string, args: object = {}): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.push(resolve);
    this.#output.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    const answer = await promise;
    if (answer.error) throw new Error(`${execute}: ${answer.error.desc}`);
    return answer.return as T;
  }
}

/** The saved state then contains the devices only: memory stays in its file. */
export const IGNORE_SHARED = { capabilities: [{ capability: 'x-ignore-shared', state: true }] };

/** Waits until the state of a machine is written or read. */
export async function migrated(qmp: Qmp): Promise<void> {
  for (;;) {
    const { status } = await qmp.do<{ status?: string }>('query-migrate');
    if (status === 'completed') return;
    if (status === 'failed' || status === 'cancelled')
      throw new Error('the state of the machine could not be moved');
    await wait(10);
  }
}
