// SPDX-License-Identifier: MIT
/** Keeps the two newest images of each kernel and those in use, and of the parts what these stand on. */

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

/** Images that hosts run from, whose files must stay. */
export function inUse(): Set<string> {
  const hosts = KERNELS.map(readHost).filter((host) => host !== null && isAlive(host));
  return new Set(hosts.map((host) => host?.imageKey ?? ''));
}

const images = (): Manifest[] =>
  entries('host')
    .map((key) => findImage(cache('host', key)))
    .filter((image) => image !== null);

export const hasImage = (kernel: KernelVersion): boolean => images().some((image) => image.kernel === kernel);

/** The caller holds the build lock: whatever is half done belongs to a build that was killed. */
export function collectGarbage(): void {
  const all = images();
  const recent = all.filter(
    (image) => all.filter((o) => o.kernel === image.kernel && o.builtAt > image.builtAt).length < MAX_KEPT,
  );
  removeUnused(new Set([...inUse(), ...recent.map((image) => image.key)]));
}

/** Keeps these images and their parts. */
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

function keep(stage: string, names: readonly string[]): void {
  for (const name of entries(stage)) {
    if (!names.includes(name)) remove(join(cache(stage), name));
  }
}

/** A killed build of an ordinary user leaves files of the user ids that its image has: only their namespace can go there. */
function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    spawnSync('unshare', ['--user', '--map-root-user', '--map-auto', '--', 'rm', '-rf', path]);
  }
}
