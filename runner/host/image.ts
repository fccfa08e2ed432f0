// SPDX-License-Identifier: MIT
/** The host image: found in the cache by the hash of its inputs, or built. */

import { type Choice, chooseAccelerator, processorModel } from './accelerator.ts';
import { imagePlan } from './agent-image.ts';
import { buildLock } from './build-lock.ts';
import { collectGarbage } from './garbage.ts';
import { contents, hash, needCheckout, stamp } from './inputs.ts';
import { probeKvm } from './kvm-probe.ts';
import { findImage } from './manifest.ts';
import { cache } from './paths.ts';
import { findProgram } from './program.ts';
import { QEMU } from './qemu.ts';
import { checkRequirements } from './requirements.ts';
import { saveMachine } from './save.ts';
import { checkSpace } from './space.ts';
import { engineDisk, engineKey, kernelRelease, rootfs, rootfsKey } from './stages.ts';
import { type BuildOptions, CPUS, type HostImage, MEMORY_MIB } from './types.ts';

const SOURCES = [
  'images/host/guest',
  'images/host/initrd',
  'images/host/modules',
  'images/host/keys',
  'runner/host/manifest.ts',
  'runner/host/qemu.ts',
  'runner/host/save.ts',
];

/**
 * Release of the host's kernel, which is fetched if needed. Throws EnvironmentError if this machine lacks what a host
 * needs.
 */
export async function releaseOf(options: BuildOptions): Promise<string> {
  needCheckout(); // before a program is required, or a kernel fetched, for nothing
  await checkRequirements();
  return kernelRelease(options.kernel, options);
}

/** What can be known of the image without building it. */
async function plan(release: string, options: BuildOptions): Promise<HostImage> {
  const choice = await chooseAccelerator(() => probeKvm(release, options));
  const key = hash(release, engineKey(), machineKey(choice), contents(...SOURCES));
  return {
    kernel: options.kernel,
    release,
    key,
    folder: cache('host', key),
    accelerator: choice.accelerator,
    acceleratorReason: choice.reason,
    nodeImage: imagePlan('node').name,
  };
}

/**
 * A saved machine can be restored only with the same size, QEMU and accelerator, and under KVM on the same processor
 * model.
 */
function machineKey({ accelerator }: Choice): string {
  const qemu = stamp(findProgram(QEMU) ?? '');
  return hash(accelerator, qemu, `${CPUS} ${MEMORY_MIB}`, accelerator === 'kvm' ? processorModel() : '');
}

/** The image for the current inputs, built if needed. */
export async function build(options: BuildOptions, release?: string): Promise<HostImage> {
  const image = await plan(release ?? (await releaseOf(options)), options);
  if (findImage(image.folder)) return image;
  const lock = await buildLock(options);
  try {
    if (!findImage(image.folder)) await make(image, options);
    return image;
  } finally {
    await lock.release();
  }
}

async function make(image: HostImage, options: BuildOptions): Promise<void> {
  checkSpace(cache());
  const { release, accelerator } = image;
  const disk = await rootfs(options);
  const engine = await engineDisk({ ...options, release, accelerator, rootfs: disk });
  options.progress?.({ title: 'booting the host once to save its memory', detail: image.acceleratorReason });
  const parts = { rootfs: rootfsKey(), engine: engineKey() };
  await saveMachine({ image, parts, rootfs: disk, engine, signal: options.signal });
  collectGarbage();
}
