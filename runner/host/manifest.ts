// SPDX-License-Identifier: MIT
/** What is in the folder of a saved machine, and how a whole one is told from one that is cut short. */

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

/** The manifest of a saved machine; `files` are the sizes of a whole one, in bytes. */
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

/** The manifest of a whole image; null when there is none, or when files of it are gone or cut short. */
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
