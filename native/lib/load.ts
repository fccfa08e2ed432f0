// SPDX-License-Identifier: MIT
/** Finds and loads the compiled addon, once a thread and only when it is first needed. */
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Addon } from './addon.ts';

// The global `process`, never an import of it: that would open process.stdin, which loads the stream modules and makes
// the descriptor non-blocking for whoever reads it otherwise.
const BUILD = 'npm run build:native';
const FILE = 'afbus.node';

export interface LoadAttempt {
  readonly path: string;
  readonly error: Error;
}

/** No place held a loadable addon. `attempts` tells why for each path tried. */
export class AddonLoadError extends Error {
  override readonly name = 'AddonLoadError';
  readonly code = 'ERR_AFBUS_ADDON';
  readonly attempts: readonly LoadAttempt[];

  constructor(attempts: readonly LoadAttempt[]) {
    const tried = attempts.map(({ path, error }) => `  ${path}: ${firstLine(error)}`);
    super(`cannot load the native addon; tried:\n${tried.join('\n')}\nBuild it with: ${BUILD}`);
    this.attempts = attempts;
  }
}

/**
 * Paths in the order they are tried: `$AFBUS_NATIVE`; `native/afbus.node` beside the running module (a bundle) and
 * beside the main script; `build/native/afbus.node` of the package.
 */
export function candidatePaths(
  env: NodeJS.ProcessEnv = process.env,
  moduleUrl: string | null = import.meta.url ?? null,
  script: string | undefined = process.argv[1],
): string[] {
  const paths: string[] = [];
  if (env.AFBUS_NATIVE) paths.push(env.AFBUS_NATIVE);
  const here = moduleUrl?.startsWith('file:') ? dirname(fileURLToPath(moduleUrl)) : undefined;
  for (const folder of [here, script && dirname(script)]) {
    if (folder) paths.push(join(folder, 'native', FILE));
  }
  if (here) {
    const above = join(here, '../..');
    // The package's root is above native/lib, or above dist/native/lib.
    paths.push(join(basename(above) === 'dist' ? dirname(above) : above, 'build/native', FILE));
  }
  return [...new Set(paths)];
}

/** Loads the first that works. Throws AddonLoadError. */
export function loadAddon(paths: readonly string[] = candidatePaths()): Addon {
  const attempts: LoadAttempt[] = [];
  for (const path of paths) {
    try {
      const module = { exports: {} as Addon };
      process.dlopen(module, path);
      return module.exports;
    } catch (error) {
      attempts.push({ path, error: error as Error });
    }
  }
  throw new AddonLoadError(attempts);
}

let loaded: Addon | undefined;

/** The addon of this thread, loaded on first use. Throws AddonLoadError. */
export function loadedAddon(): Addon {
  loaded ??= loadAddon();
  return loaded;
}

const firstLine = (error: Error): string => error.message.split('\n', 1)[0] as string;
