// SPDX-License-Identifier: MIT
/**
 * QEMU's arguments. A saved machine starts only with the arguments that it was saved with, so they are made in one
 * place.
 */

import { cache } from './paths.ts';
import { type Accelerator, CPUS, MEMORY_MIB } from './types.ts';

export const QEMU = 'qemu-system-x86_64';

/** `saving`: the machine writes its memory to the file; `restored`: it maps the file privately and never changes it. */
export interface Machine {
  readonly accelerator: Accelerator;
  readonly memory: { readonly file: string; readonly mode: 'saving' | 'restored' } | null;
  readonly disk: string;
  /** A docker-archive that the guest is to load, as a second disk. */
  readonly archive?: string;
  readonly ports: { readonly docker: number; readonly channel: number };
  /** Where the guest's console goes: a file, or a socket that QEMU inherits. */
  readonly console: { readonly file: string } | { readonly fd: number };
}

export function machineArguments(m: Machine): string[] {
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-machine', 'pc,memory-backend=ram,hpet=off,vmport=off'],
    ...accelerator(m),
    ...['-smp', `${CPUS}`, '-m', `${MEMORY_MIB}`],
    ...['-object', JSON.stringify(memory(m))],
    ...drive('disk', { driver: 'qcow2', discard: 'unmap', file: file(m.disk) }),
    ...(m.archive ? drive('archive', { driver: 'raw', 'read-only': true, file: file(m.archive, true) }) : []),
    ...['-netdev', network(m.ports)],
    ...['-device', 'virtio-net-pci,netdev=net,romfile='],
    ...['-chardev', console(m), '-serial', 'chardev:console'],
  ];
}

const console = ({ console: to }: Machine): string =>
  'fd' in to ? `socket,id=console,fd=${to.fd}` : `file,id=console,path=${to.file.replaceAll(',', ',,')}`;

/**
 * TCG: qemu64 has what Node and Docker need, and richer models take twice the time, because vector code is emulated.
 * images/scratch/run says why cx16 is off.
 *
 * A machine that boots is emulated by one thread: a booting kernel patches its own code, and QEMU before 8.1 may keep
 * for ever what one processor translated while another was writing it. The kernel then dies of a breakpoint (int3).
 */
function accelerator({ accelerator, memory }: Machine): string[] {
  if (accelerator === 'kvm') return ['-accel', 'kvm', '-cpu', 'host'];
  return ['-accel', `tcg,thread=${memory?.mode === 'restored' ? 'multi' : 'single'}`, '-cpu', 'qemu64,-cx16'];
}

function memory({ memory }: Machine): object {
  const common = { id: 'ram', size: MEMORY_MIB * 2 ** 20 };
  if (!memory) return { 'qom-type': 'memory-backend-ram', ...common };
  const share = memory.mode === 'saving';
  return { 'qom-type': 'memory-backend-file', ...common, 'mem-path': memory.file, share };
}

const file = (filename: string, readOnly = false) => ({
  driver: 'file',
  filename,
  'read-only': readOnly,
  discard: 'unmap',
  cache: { direct: false, 'no-flush': true },
});

function drive(id: string, node: object): string[] {
  return ['-blockdev', JSON.stringify({ 'node-name': id, ...node }), '-device', `virtio-blk-pci,drive=${id}`];
}

/**
 * The guest cannot connect to anything. Its two ports can be reached from this machine only, and ask for a certificate.
 */
function network({ docker, channel }: Machine['ports']): string {
  return [
    'user,id=net,restrict=on',
    `hostfwd=tcp:127.0.0.1:${docker}-:2376`,
    `hostfwd=tcp:127.0.0.1:${channel}-:2377`,
  ].join(',');
}

/**
 * panic=-1 and -no-reboot: a kernel that panics ends QEMU at once. norandmaps: the emulator can reuse translated code
 * for the next process only if it is at the same address; Node then starts in two thirds of the time.
 */
export function kernelArguments(release: string, initrd: string, extra = ''): string[] {
  const words = [
    'console=ttyS0 loglevel=5 panic=-1 panic_on_oops=1 tsc=reliable mitigations=off',
    'init_on_alloc=0 random.trust_cpu=on rcupdate.rcu_expedited=1 audit=0 selinux=0 apparmor=0 norandmaps',
  ];
  return [
    '-kernel',
    cache('kernel', release, 'vmlinuz'),
    '-initrd',
    initrd,
    '-append',
    [...words, extra].join(' '),
  ];
}
