// SPDX-License-Identifier: MIT
/** A node agent as a process: orders from stdin, reports to stdout. */

import { Lines } from '../common/lines.ts';
import { childrenOf } from './child.ts';
import { busFamily, kernelRelease, socketsLeft } from './kernel-facts.ts';
import { KernelLog } from './kernel-log.ts';
import { linux } from './linux.ts';
import type { Machine } from './machine.ts';
import { NodeAgent } from './node-agent.ts';
import type { NodeOrder } from './protocol.ts';
import { Upstream } from './upstream.ts';

/** Runs until it is told to end, until SIGTERM, or until the runner's stream ends without a `detach` before. */
export function runNodeAgent(): void {
  const upstream = new Upstream();
  const machine: Machine = {
    pid: process.pid,
    now: linux.now,
    kernel: kernelRelease,
    bus: busFamily,
    socketsLeft,
    openKernelLog: () => KernelLog.open(),
    start: childrenOf(upstream),
  };
  const node = new NodeAgent(machine, upstream);
  const leave = async () => {
    await node.endChildren();
    process.exit(0);
  };
  const runnerGone = () => {
    if (!node.detached) void leave();
  };
  const lines = new Lines((line) => {
    const order = JSON.parse(line.toString()) as NodeOrder;
    // Keeps this process alive, as nothing else may be left that does. Its node ends with it.
    if (order.do === 'detach') setInterval(() => {}, 2 ** 30);
    void node.take(order);
  });
  process.stdin.on('data', (chunk: Buffer) => lines.push(chunk));
  process.stdin.on('error', runnerGone);
  process.stdin.on('close', runnerGone);
  process.on('SIGTERM', () => void leave());
  node.hello();
}
