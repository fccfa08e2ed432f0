// SPDX-License-Identifier: MIT
/** The guarded boot that shows whether KVM works here. Its result is kept until this machine boots again. */

import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildLock } from './build-lock.ts';
import { hash, stamp } from './inputs.ts';
import { cache } from './paths.ts';
import { findProgram } from './program.ts';
import { kernelArguments, QEMU } from './qemu.ts';
import { makeInitrd, makeKeys, rootfs, workFolder } from './stages.ts';
import type { BuildOptions } from './types.ts';

const DEADLINE = 10_000;

export async function probeKvm(release: string, options: BuildOptions): Promise<string | null> {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
  const file = cache(`kvm-probe-${hash(boot, release, stamp(findProgram(QEMU) ?? ''))}`);
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {} // not probed yet
  const lock = await buildLock(options); // rootfs() may have to build the file system
  options.progress?.({ title: 'trying whether KVM works here' });
  const work = workFolder('host');
  try {
    const busybox = join(await rootfs(options), 'busybox');
    const keys = await makeKeys(join(work, 'keys'), options.signal);
    const initrd = await makeInitrd(join(work, 'initrd'), { release, busybox, keys }, options.signal);
    const result = await tryKvm(release, initrd);
    writeFileSync(file, JSON.stringify(result));
    return result;
  } finally {
    rmSync(work, { recursive: true, force: true });
    await lock.release();
  }
}

function tryKvm(release: string, initrd: string): Promise<string | null> {
  const machine = ['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-serial', 'stdio'];
  const kvm = ['-machine', 'pc', '-accel', 'kvm', '-cpu', 'host', '-m', '256'];
  const child = spawn(QEMU, [...machine, ...kvm, ...kernelArguments(release, initrd, 'afbus.kvm-probe')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const timer = setTimeout(() => resolve(`no answer in ${DEADLINE / 1000} s`), DEADLINE);
  let said = '';
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint += text;
  });
  child.stdout.on('data', (text) => {
    said += text;
    if (said.includes('afbus-host: kvm-probe')) resolve(null);
  });
  child.on('error', (e) => resolve(e.message));
  child.on('close', () => resolve(complaint.trim().split('\n').at(-1) || 'QEMU ended early'));
  return promise.finally(() => {
    clearTimeout(timer);
    child.kill('SIGKILL');
  });
}
