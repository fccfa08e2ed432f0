// SPDX-License-Identifier: MIT
/** Keeps the two newest images of each kernel, those in use, and the parts that these need. */

import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { findImage, type Manifest } from './manifest.ts';
import { cache, entries } from './paths.ts';
import { isAlive } from './process.ts';
import { readHost } from './state.ts';
import type { KernelVersion } from './types.ts';

const MAX_KEPT = 2;
const KERNELS: readonly KernelVersion[] = ['6.12', '6.1'];

/** Keys of the images that hosts run from: their files must stay. */
export function inUse(): Set<string> {
  const hosts = KERNELS.map(readHost).filter((host) => host !== null && isAlive(host));
  return new Set(hosts.map((host) => host?.imageKey ?? ''));
}

const images = (): Manifest[] =>
  entries('host')
    .map((key) => findImage(cache('host', key)))
    .filter((image) => image !== null);

export const hasImage = (kernel: KernelVersion): boolean => images().some((image) => image.kernel === kernel);

/** The caller holds the build lock, so whatever is half done was left by a build that was killed. */
export function collectGarbage(): void {
  const all = images();
  const recent = all.filter(
    (image) => all.filter((o) => o.kernel === image.kernel && o.builtAt > image.builtAt).length < MAX_KEPT,
  );
  removeUnused(new Set([...inUse(), ...recent.map((image) => image.key)]));
}

/** Removes all images but these, and the parts that none of these needs. */
export function removeUnused(keys: ReadonlySet<string>): void {
  const kept = images().filter((image) => keys.has(image.key));
  keep('host', [...keys]);
  keep(
    'rootfs',
    kept.map((image) => image.parts.rootfs),
  );
  keep(
    'engine',
    kept.map((image) => `${image.parts.engine}.qcow2`),
  );
  keep('agent', kept.length ? ['base.tar'] : []);
}

function keep(folder: string, names: readonly string[]): void {
  for (const name of entries(folder)) {
    if (!names.includes(name)) remove(join(cache(folder), name));
  }
}

/**
 * A build by an ordinary user that was killed leaves files with the user ids of its image; only that user's namespace
 * can remove them.
 */
function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    spawnSync('unshare', ['--user', '--map-root-user', '--map-auto', '--', 'rm', '-rf', path]);
  }
}
