// SPDX-License-Identifier: MIT
/** The runs whose artifacts are kept although no folder was named for them. */

import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LIMITS } from '../common/limits.ts';
import { stateRoot } from '../host/paths.ts';

/** Maximum number of such runs. */
const MAX_RUNS = 20;

export const home = (): string => join(stateRoot(), 'runs');

/** Removes runs that are not among the newest, or exceed the size together. The newest one stays, however big it is. */
export function prune(runs: string, most: number = LIMITS.runsBytes.most): void {
  let left = most;
  for (const [n, path] of byAge(runs).entries()) {
    left -= sizeOf(path);
    if (n > 0 && (n >= MAX_RUNS || left < 0)) rmSync(path, { recursive: true, force: true });
  }
}

/** Newest first. Another command may remove one meanwhile. */
const byAge = (runs: string): readonly string[] =>
  readdirSync(runs)
    .map((name) => join(runs, name))
    .map((path) => ({ path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.at - a.at)
    .map(({ path }) => path);

function sizeOf(run: string): number {
  try {
    const sizes = readdirSync(run).map(
      (name) => statSync(join(run, name), { throwIfNoEntry: false })?.size ?? 0,
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch {
    return 0; // removed meanwhile, or no folder
  }
}
