// SPDX-License-Identifier: MIT
/** Damage to the host's kernel. */

import type { Run } from '../helpers/story.ts';
import { type Mutant, mutant } from '../mutants.ts';

export const splat =
  (level: number, ...lines: string[]) =>
  (run: Run) => {
    run.trace.kernel.push(...lines.map((text) => ({ level, text })));
  };

/** Of a process that was ended in the middle of a send. */
export const outOfMemory = [
  'node invoked oom-killer: gfp_mask=0x400dc0(GFP_KERNEL_ACCOUNT|__GFP_ZERO), order=0, oom_score_adj=0',
  'Call Trace:',
  ' afbus_sendmsg+0x3b7/0x9b0 [af_bus]',
  'Memory cgroup out of memory: Killed process 7 (node) total-vm:1kB, anon-rss:1kB',
];

export const kernelMutants: readonly Mutant[] = [
  mutant(
    'the kernel warns',
    { kernel: { kind: 'splat', summary: /WARNING: CPU: 0/, detail: /af_bus_send/ } },
    splat(
      4,
      '------------[ cut here ]------------',
      'WARNING: CPU: 0 PID: 7 at net/bus/send.c:10',
      ' af_bus_send+0x10/0x20 [af_bus]',
      '---[ end trace 0000000000000000 ]---',
    ),
  ),
  mutant(
    'KASAN reports',
    { kernel: { kind: 'splat', summary: /KASAN/ } },
    splat(3, 'BUG: KASAN: slab-use-after-free in af_bus_recv+0x10/0x20'),
  ),
  mutant(
    'lockdep reports',
    { kernel: { kind: 'splat' } },
    splat(4, 'WARNING: possible circular locking dependency detected'),
  ),
  mutant(
    'a reference count is wrong',
    { kernel: { kind: 'splat' } },
    splat(4, 'refcount_t: underflow; use-after-free.'),
  ),
  mutant(
    'the module warns in its own words',
    { kernel: { kind: 'splat' } },
    splat(4, 'af_bus: lost a message'),
  ),
  mutant(
    'a warning comes amid the report of an OOM killer',
    { kernel: { kind: 'splat', summary: /refcount_t/ } },
    splat(4, ...outOfMemory.toSpliced(2, 0, 'refcount_t: underflow; use-after-free.')),
  ),
  mutant(
    'the module warns once the report of an OOM killer is over',
    { kernel: { kind: 'splat', summary: /lost a message/ } },
    splat(4, ...outOfMemory, 'af_bus: lost a message'),
  ),
  mutant(
    'sockets are left behind',
    { kernel: { kind: 'sockets-left', summary: /^2 bus sockets left/ } },
    (run) => {
      run.trace.socketsLeft = 2;
    },
  ),
];
