// SPDX-License-Identifier: MIT
/**
 * The connection between a process of agents and its node agent, over stdin and stdout.
 *
 * Plain file calls instead of process.stdin and process.stdout: their streams take longer to load than all else that
 * an agent needs. Writes wait while the pipe is full; the node agent always reads.
 */
import { read, writeSync } from 'node:fs';
import { Lines } from '../common/lines.ts';
import type { NodeReport, ProcessOrder } from './protocol.ts';

const STDIN = 0;
const STDOUT = 1;
/** A longer batch is written at once. */
const MAX_LENGTH = 1 << 16;

/**
 * Batches the reports of this process's agents: one write per turn of the event loop, since each write wakes the node
 * agent.
 */
export class Outbox {
  #lines = '';
  #due: NodeJS.Immediate | undefined;

  constructor() {
    // A process that ends, by itself or by an error, reports everything first.
    process.on('exit', () => this.flush());
  }

  say(report: NodeReport): void {
    this.#lines += `${JSON.stringify(report)}\n`;
    if (this.#lines.length > MAX_LENGTH) this.flush();
    else this.#due ??= setImmediate(() => this.flush());
  }

  flush(): void {
    clearImmediate(this.#due);
    this.#due = undefined;
    const bytes = Buffer.from(this.#lines);
    this.#lines = '';
    for (let at = 0; at < bytes.length; ) at += writeSync(STDOUT, bytes, at);
  }
}

/** Calls `onOrder` for every order until the stream ends, then `onEnd` once. */
export function listen(onOrder: (order: ProcessOrder) => void, onEnd: () => void): void {
  const lines = new Lines((line) => onOrder(JSON.parse(line.toString()) as ProcessOrder));
  const next = () => {
    const buffer = Buffer.allocUnsafe(1 << 16);
    read(STDIN, buffer, 0, buffer.length, null, (error, length) => {
      if (error || length === 0) return onEnd();
      lines.push(buffer.subarray(0, length));
      next();
    });
  };
  next();
}
