// SPDX-License-Identifier: MIT
/** The contents of a saved machine's folder, and how a complete one is told from one that was cut short. */

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cache } from './paths.ts';
import type { HostImage } from './types.ts';

/** Names in an image's folder. */
export const IMAGE = {
  memory: 'memory',
  state: 'state',
  disk: 'disk.qcow2',
  keys: 'keys',
  manifest: 'image.json',
};

/** The manifest of a saved machine; `files` has the sizes of its files, in bytes. */
export interface Manifest extends HostImage {
  readonly builtAt: string;
  readonly parts: { readonly rootfs: string; readonly engine: string };
  readonly files: Readonly<Record<string, number>>;
}

/** The manifest of the machine that was saved in `folder`. */
export function manifestOf(image: HostImage, parts: Manifest['parts'], folder: string): Manifest {
  const names = [IMAGE.memory, IMAGE.state, IMAGE.disk];
  const files = Object.fromEntries(names.map((name) => [name, statSync(join(folder, name)).size]));
  return { ...image, parts, files, builtAt: new Date().toISOString() };
}

/** The manifest of a complete image; null if there is none, or if files are missing or cut short. */
export function findImage(folder: string): Manifest | null {
  try {
    const manifest: Manifest = JSON.parse(readFileSync(join(folder, IMAGE.manifest), 'utf8'));
    const whole = Object.entries(manifest.files).every(
      ([name, size]) => statSync(join(folder, name)).size === size,
    );
    const base = statSync(cache('engine', `${manifest.parts.engine}.qcow2`));
    return whole && base.isFile() ? manifest : null;
  } catch {
    return null;
  }
}
