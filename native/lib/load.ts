// SPDX-License-Identifier: MIT
/** Finds and loads the compiled addon, once a thread and only when it is first needed. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Addon } from './addon.ts';

// The global `process`, never an import of it: that would open process.stdin, which loads the stream modules and makes
// the descriptor non-blocking for its other readers.
const FILE = 'afbus.node';
/** Where the package's own build puts it. */
const BUILT = join('build/native', FILE);

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
    const there = attempts.filter(({ path }) => existsSync(path));
    const why = there.map(({ path, error }) => `${path}: ${firstLine(error)}`).join('; ');
    super(
      `the native addon ${why === '' ? 'is not built' : `cannot be loaded (${why})`}: ${remedy(attempts)}`,
    );
    this.attempts = attempts;
  }
}

/** The package that this is part of can be built, a bundle that stands alone cannot. */
function remedy(attempts: readonly LoadAttempt[]): string {
  const own = attempts.find(({ path }) => path.endsWith(`/${BUILT}`))?.path.slice(0, -BUILT.length - 1);
  return own === undefined
    ? `put it beside the program, as native/${FILE}`
    : `run "npm --prefix ${own} run build:native"`;
}

/**
 * Paths in the order they are tried: `$AFBUS_NATIVE`; `native/afbus.node` beside the running module, or beside the main
 * script where that is a bundle which does not know its own place; `build/native/afbus.node` of the package.
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

/** From its sources, compiled, or bundled into the command. */
const IN_PACKAGE = /(?:\/dist)?\/(?:native\/lib|runner\/bundle)$/;

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
