// SPDX-License-Identifier: MIT
/** Removes from the cache everything that no running host uses; the next start builds it again. */

import { readdirSync, rmSync } from 'node:fs';
import { buildLock } from './build-lock.ts';
import { inUse, removeUnused } from './garbage.ts';
import { cache } from './paths.ts';
import type { BuildOptions } from './types.ts';

export async function clean(options: Omit<BuildOptions, 'kernel'> = {}): Promise<void> {
  const held = await buildLock(options);
  try {
    removeUnused(inUse());
    rmSync(cache('modules'), { recursive: true, force: true }); // a running host has copies of its own
    for (const name of readdirSync(cache())) {
      if (name.startsWith('kvm-probe-')) rmSync(cache(name));
    }
  } finally {
    await held.release();
  }
}
