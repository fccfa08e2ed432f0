// SPDX-License-Identifier: MIT
/** The slow parts of a host image. Each is a file or folder in the cache, named by the hash of its inputs. */

import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { imagePlan, makeImage, nodeLayersKey } from './agent-image.ts';
import { BuilderVm } from './builder-vm.ts';
import { must } from './command.ts';
import { isDebian, onDebian } from './debian.ts';
import { contents, hash } from './inputs.ts';
import { cache, entries, inProject, privateFolder } from './paths.ts';
import type { Accelerator, BuildOptions, KernelVersion } from './types.ts';

const script = (name: string) => inProject('images/host', name);

/** Release of Debian's cloud kernel, which is fetched if needed. */
export async function kernelRelease(kernel: KernelVersion, options: BuildOptions): Promise<string> {
  const cached = isDebian() ? undefined : entries('kernel').findLast((name) => name.startsWith(`${kernel}.`));
  if (cached) return cached; // so that no container is started only to ask
  const said = await must(`fetching Linux ${kernel}`, onDebian(inProject('images/kernel/fetch'), kernel), {
    signal: options.signal,
    onLine: (detail) => options.progress?.({ title: `fetching Linux ${kernel}`, detail }),
  });
  return said.trim();
}

export const rootfsKey = (): string =>
  contents('images/host/rootfs', 'images/host/packages', 'images/host/lib.sh');

/** The host's file system: Debian's packages. */
export async function rootfs(options: BuildOptions): Promise<string> {
  const out = cache('rootfs', rootfsKey());
  if (existsSync(out)) return out;
  options.progress?.({ title: "building the host's file system from Debian packages" });
  privateFolder(cache('rootfs'));
  await must("building the host's file system", onDebian(script('rootfs'), out), { signal: options.signal });
  return out;
}

export interface Initrd {
  readonly release: string;
  readonly busybox: string;
  readonly keys: string;
}

export async function makeInitrd(out: string, i: Initrd, signal?: AbortSignal): Promise<string> {
  const kernel = cache('kernel', i.release);
  const argv = [script('initrd'), out, kernel, i.release, i.busybox, i.keys];
  await must('building the initramfs', argv, { signal });
  return out;
}

export const makeKeys = async (out: string, signal?: AbortSignal): Promise<string> => {
  await must('making the keys', [script('keys'), out], { signal });
  return out;
};

/** An empty disk on top of a base that is never written again. */
export async function overlay(base: string, format: 'raw' | 'qcow2', out: string): Promise<string> {
  await must('making a disk', ['qemu-img', 'create', '-q', '-f', 'qcow2', '-b', base, '-F', format, out]);
  return out;
}

const ENGINE = ['boot', 'dockerd.json', 'engine', 'halt', 'init', 'load'].map(
  (name) => `images/host/guest/${name}`,
);

export const engineKey = (): string => hash(rootfsKey(), nodeLayersKey(), contents(...ENGINE));

export interface EngineOptions extends BuildOptions {
  readonly release: string;
  readonly accelerator: Accelerator;
  readonly rootfs: string;
}

/** A disk whose engine has loaded the node image, for all kernels: under emulation, loading takes half a minute. */
export async function engineDisk(o: EngineOptions): Promise<string> {
  const out = cache('engine', `${engineKey()}.qcow2`);
  if (existsSync(out)) return out;
  const { archive } = await makeImage(imagePlan('node'), o);
  o.progress?.({ title: "filling the host's Docker Engine" });
  const work = workFolder('engine');
  try {
    const keys = await makeKeys(join(work, 'keys'), o.signal);
    const busybox = join(o.rootfs, 'busybox');
    const initrd = await makeInitrd(join(work, 'initrd'), { release: o.release, busybox, keys }, o.signal);
    const disk = await overlay(join(o.rootfs, 'disk.raw'), 'raw', join(work, 'disk.qcow2'));
    const vm = await BuilderVm.boot({
      machine: {
        accelerator: o.accelerator,
        memory: null,
        disk,
        archive,
      },
      ...{ folder: work, release: o.release, initrd, certDir: join(keys, 'client'), signal: o.signal },
    });
    try {
      await vm.run('/run/afbus/load');
      await vm.halt();
    } finally {
      vm.kill();
    }
    renameSync(disk, out);
    rmSync(archive);
    return out;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** A scratch folder on the same file system as the result, so that a rename makes the whole result appear at once. */
export function workFolder(folder: string): string {
  privateFolder(cache(folder));
  return mkdtempSync(cache(folder, 'work.'));
}
