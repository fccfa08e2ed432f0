// SPDX-License-Identifier: MIT
/**
 * A memory cgroup around one process (cgroups(7), Documentation/admin-guide/cgroup-v2.rst). What the process has already
 * stays charged where it is, so that the limit is about what comes from now on: its own pages, and the messages that it
 * sends until they are read.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MOUNT = '/sys/fs/cgroup';
/** Of those processes that were in our own cgroup: only one without processes passes the controller on. */
const REST = 'afbus-rest';

/** Where the process is now; undo it with `remove`, once the process has ended. */
export interface MemoryLimit {
  remove(): void;
}

/** `bytes` for the process from now on. Throws where this process may not, or has no cgroup of version 2. */
export function limitMemory(pid: number, bytes: number): MemoryLimit {
  const home = join(MOUNT, ownPath());
  passOn(home);
  // Nodes that are process trees share a home, and may have the same pids.
  const cgroup = mkdtempSync(join(home, 'afbus-'));
  try {
    writeFileSync(join(cgroup, 'memory.max'), String(bytes));
    // Nothing may go anywhere else. There is no such file where the kernel cannot swap.
    const swap = join(cgroup, 'memory.swap.max');
    if (existsSync(swap)) writeFileSync(swap, '0');
    writeFileSync(join(cgroup, 'cgroup.procs'), String(pid));
  } catch (error) {
    rmdirSync(cgroup);
    throw error;
  }
  return { remove: () => rmdirSync(cgroup) };
}

/** Of this process's cgroup, below the mount; that of the rest stands for the one it was made in. */
function ownPath(): string {
  const line = readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .find((each) => each.startsWith('0::'));
  if (line === undefined) throw new Error('this node has no cgroup of version 2');
  return line.slice('0::'.length).replace(new RegExp(`/${REST}$`), '');
}

/** Lets the children of `home` have limits of memory. Only the root may do so and keep processes. */
function passOn(home: string): void {
  const control = join(home, 'cgroup.subtree_control');
  if (readFileSync(control, 'utf8').split(/\s/).includes('memory')) return;
  for (;;) {
    try {
      writeFileSync(control, '+memory');
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
    }
    moveRest(home);
  }
}

/** Processes that start meanwhile are found by the next try. */
function moveRest(home: string): void {
  const rest = join(home, REST);
  mkdirSync(rest, { recursive: true });
  for (const pid of readFileSync(join(home, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)) {
    try {
      writeFileSync(join(rest, 'cgroup.procs'), pid);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
