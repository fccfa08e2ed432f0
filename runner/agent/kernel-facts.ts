// SPDX-License-Identifier: MIT
/** What a node agent can say of the kernel under it. */

import { readFileSync } from 'node:fs';
import type { NodeReport } from './protocol.ts';

type Hello = Extract<NodeReport, { say: 'hello' }>;

const PARAMETER = '/sys/module/af_bus/parameters/family';

export const kernelRelease = (): string => readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();

/** The family number that the loaded module registered, or why there is none. */
export function busFamily(): Hello['bus'] {
  try {
    return { family: Number.parseInt(readFileSync(PARAMETER, 'utf8'), 10) };
  } catch {
    return { missing: `the module af_bus is not loaded (no ${PARAMETER})` };
  }
}

/** Number of AF_BUS sockets in this network namespace; null if the kernel does not say. */
export function socketsLeft(protocols = readFileSync('/proc/net/protocols', 'utf8')): number | null {
  const [head = '', ...rows] = protocols.split('\n').map((line) => line.trim());
  const column = head.split(/\s+/).indexOf('sockets');
  const row = rows.map((r) => r.split(/\s+/)).find(([name]) => name === 'BUS');
  const count = row === undefined || column < 0 ? Number.NaN : Number(row[column]);
  return Number.isInteger(count) && count >= 0 ? count : null;
}
