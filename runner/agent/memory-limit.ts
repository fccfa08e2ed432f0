// SPDX-License-Identifier: MIT
/**
 * Puts one process into a memory cgroup (cgroups(7), Documentation/admin-guide/cgroup-v2.rst). Memory that the process
 * already has stays charged to its old cgroup. So the limit covers what the process allocates from now on: its own
 * pages, and the messages that it sends until they are read.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MOUNT = '/sys/fs/cgroup';
/**
 * Cgroup for the processes that were in ours: only a cgroup without processes of its own can give controllers to its
 * children.
 */
const REST = 'afbus-rest';

/** The new cgroup of the process; call `remove` after the process has ended. */
export interface MemoryLimit {
  remove(): void;
}

/**
 * Limits the process to `bytes` from now on. Throws if this process may not do that, or is not in a cgroup of version
 * 2.
 */
export function limitMemory(pid: number, bytes: number): MemoryLimit {
  const home = join(MOUNT, ownPath());
  passOn(home);
  // Nodes that are process trees share `home`, and their processes may have the same pids.
  const cgroup = mkdtempSync(join(home, 'afbus-'));
  try {
    writeFileSync(join(cgroup, 'memory.max'), String(bytes));
    // Memory must not go to swap instead. A kernel without swap has no such file.
    const swap = join(cgroup, 'memory.swap.max');
    if (existsSync(swap)) writeFileSync(swap, '0');
    writeFileSync(join(cgroup, 'cgroup.procs'), String(pid));
  } catch (error) {
    rmdirSync(cgroup);
    throw error;
  }
  return { remove: () => rmdirSync(cgroup) };
}

/**
 * Path of this process's cgroup below the mount. For a process that was moved to REST, it is the path before the move.
 */
function ownPath(): string {
  const line = readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .find((each) => each.startsWith('0::'));
  if (line === undefined) throw new Error('this node has no cgroup of version 2');
  return line.slice('0::'.length).replace(new RegExp(`/${REST}$`), '');
}

/** Enables the memory controller for the children of `home`. EBUSY: only the root cgroup may keep processes then. */
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

/** Moves all processes of `home` to REST. Processes that start meanwhile are moved by the next attempt. */
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
