// SPDX-License-Identifier: MIT
/** Finds and loads the compiled addon, once per thread and only when it is first needed. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Addon } from './addon.ts';

// Uses the global `process` and never imports it: that would open process.stdin, which loads the stream modules and
// makes the descriptor non-blocking for other processes that read it.
const FILE = 'afbus.node';
/** Where this package's build puts it. */
const BUILT = join('build/native', FILE);

export interface LoadAttempt {
  readonly path: string;
  readonly error: Error;
}

/** No path led to an addon that can be loaded. `attempts` says why, for each path. */
export class AddonLoadError extends Error {
  override readonly name = 'AddonLoadError';
  readonly code = 'ERR_AFBUS_ADDON';
  readonly attempts: readonly LoadAttempt[];

  constructor(attempts: readonly LoadAttempt[]) {
    const there = attempts.filter(({ path }) => existsSync(path));
    const why = there.map(({ path, error }) => `${path}: ${firstLine(error)}`).join('; ');
    super(
      `the native addon ${why === '' ? 'is not built' : `cannot be loaded (${why})`}: ${remedy(attempts)}`,
    );
    this.attempts = attempts;
  }
}

/** Whether this is a package that can be built, rather than a bundle without sources. */
function remedy(attempts: readonly LoadAttempt[]): string {
  const own = attempts.find(({ path }) => path.endsWith(`/${BUILT}`))?.path.slice(0, -BUILT.length - 1);
  return own === undefined
    ? `put it beside the program, as native/${FILE}`
    : `run "npm --prefix ${own} run build:native"`;
}

/**
 * Paths in the order in which they are tried: `$AFBUS_NATIVE`; `native/afbus.node` next to the running module, or next
 * to the main script if that is a bundle which does not know its own place; `build/native/afbus.node` of the package.
 */
export function candidatePaths(
  env: NodeJS.ProcessEnv = process.env,
  moduleUrl: string | null = import.meta.url ?? null,
  script: string | undefined = process.argv[1],
): string[] {
  const here = moduleUrl?.startsWith('file:') ? dirname(fileURLToPath(moduleUrl)) : script && dirname(script);
  return [
    ...(env.AFBUS_NATIVE ? [env.AFBUS_NATIVE] : []),
    ...(here ? [join(here, 'native', FILE)] : []),
    ...(here && IN_PACKAGE.test(here) ? [join(here.replace(IN_PACKAGE, ''), BUILT)] : []),
  ];
}

/** The package's folder, whether this runs from source, compiled, or in the bundle of the command. */
const IN_PACKAGE = /(?:\/dist)?\/(?:native\/lib|runner\/bundle)$/;

/** Loads the first one that works. Throws AddonLoadError. */
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
