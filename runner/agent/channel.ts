// SPDX-License-Identifier: MIT
/**
 * An agent's line to its node agent, over stdin and stdout.
 *
 * Plain file calls instead of process.stdin and process.stdout: their streams take longer to load than all else that
 * an agent needs. Writes wait while the pipe is full; the node agent always reads.
 */
import { read, writeSync } from 'node:fs';
import { Lines } from '../common/lines.ts';
import type { AgentOrder, AgentReport } from './protocol.ts';

const STDIN = 0;
const STDOUT = 1;

export function say(report: AgentReport, head = ''): void {
  const bytes = Buffer.from(`${head}${JSON.stringify(report)}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(STDOUT, bytes, at);
}

/** Calls back for every order until the stream ends, then once `onEnd`. */
export const listen = (onOrder: (order: AgentOrder) => void, onEnd: () => void): void =>
  listenToLines((line) => onOrder(JSON.parse(line) as AgentOrder), onEnd);

/** The same for lines as they are. */
export function listenToLines(onLine: (line: string) => void, onEnd: () => void): void {
  const lines = new Lines((line) => onLine(line.toString()));
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
