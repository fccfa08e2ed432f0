// SPDX-License-Identifier: MIT
/** Boots the host, fills its caches, and saves disk, memory and device state as an image. */

import { existsSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BuilderVm } from './builder-vm.ts';
import { IMAGE, type Manifest, manifestOf } from './manifest.ts';
import { IGNORE_SHARED, migrated, type Qmp } from './qmp.ts';
import { makeInitrd, makeKeys, overlay, workFolder } from './stages.ts';
import { type HostImage, MEMORY_MIB } from './types.ts';

export interface SaveOptions {
  readonly image: HostImage;
  readonly parts: Manifest['parts'];
  readonly rootfs: string;
  readonly engine: string;
  readonly signal?: AbortSignal | undefined;
}

export async function saveMachine(o: SaveOptions): Promise<void> {
  const work = workFolder('host');
  const at = (name: string) => join(work, name);
  try {
    const vm = await bootForSaving(o, work);
    try {
      await vm.run('/run/afbus/warm', o.image.nodeImage);
      await saveState(vm.qmp, at(IMAGE.state));
      await vm.quit();
    } finally {
      vm.kill();
    }
    for (const name of ['initrd', 'console.log']) rmSync(at(name));
    writeFileSync(at(IMAGE.manifest), JSON.stringify(manifestOf(o.image, o.parts, work), null, 2));
    rmSync(o.image.folder, { recursive: true, force: true });
    renameSync(work, o.image.folder);
  } catch (e) {
    rmSync(work, { recursive: true, force: true });
    throw e;
  }
}

async function bootForSaving(
  { image, rootfs, engine, signal }: SaveOptions,
  work: string,
): Promise<BuilderVm> {
  const at = (name: string) => join(work, name);
  const { release, accelerator } = image;
  const keys = await makeKeys(at(IMAGE.keys), signal);
  const parts = { release, busybox: join(rootfs, 'busybox'), keys };
  const initrd = await makeInitrd(at('initrd'), parts, signal);
  const disk = await overlay(engine, 'qcow2', at(IMAGE.disk));
  writeFileSync(at(IMAGE.memory), '', { mode: 0o600 });
  truncateSync(at(IMAGE.memory), MEMORY_MIB * 2 ** 20);
  return BuilderVm.boot({
    machine: {
      accelerator,
      memory: { file: at(IMAGE.memory), mode: 'saving' },
      disk,
    },
    ...{ folder: work, release, initrd, certDir: join(keys, 'client'), signal },
  });
}

/** Saves the state of the devices, less than a megabyte: memory is in its file already (x-ignore-shared). */
async function saveState(qmp: Qmp, file: string): Promise<void> {
  await qmp.do('migrate-set-capabilities', IGNORE_SHARED);
  await qmp.do('stop');
  await qmp.do('migrate', { uri: 'exec:cat > state.part && mv state.part state' });
  await migrated(qmp);
  // QEMU has passed everything to cat, which may still be writing.
  while (!existsSync(file)) await wait(10);
}
