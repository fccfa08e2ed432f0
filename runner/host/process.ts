// SPDX-License-Identifier: MIT
/** Identifies processes: a pid alone may belong to another process by now. */

import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

export interface Identity {
  readonly ticks: string;
  readonly boot: string;
}

/** null if the process has ended, or is a zombie. */
export function identify(pid: number): Identity | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return { ticks: fields[19] ?? '', boot };
  } catch {
    return null;
  }
}

export interface Known {
  readonly pid: number;
  readonly process: Identity;
}

/** This process. */
export const self = (): Known => ({ pid: process.pid, process: identify(process.pid) as Identity });

export function isAlive({ pid, process }: Known): boolean {
  const now = identify(pid);
  return now !== null && now.ticks === process.ticks && now.boot === process.boot;
}

/**
 * Ends the process and waits until it is gone. SIGTERM ends QEMU in milliseconds; a process that is stuck gets SIGKILL.
 */
export async function end(known: Known, grace = 5000): Promise<void> {
  const kill = (signal: 'SIGTERM' | 'SIGKILL') => isAlive(known) && process.kill(known.pid, signal);
  kill('SIGTERM');
  const killAt = performance.now() + grace;
  while (isAlive(known)) {
    if (performance.now() > killAt) kill('SIGKILL');
    await wait(20);
  }
}
