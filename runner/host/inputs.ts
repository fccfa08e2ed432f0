// SPDX-License-Identifier: MIT
/** Keys of the cache: a stage's key is the hash of all that goes into it. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentError } from '../common/errors.ts';
import { inProject, isCheckout } from './paths.ts';

export function hash(...parts: readonly (string | Buffer)[]): string {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(`${part.length}:`).update(part);
  return sum.digest('hex').slice(0, 16);
}

/** An installed package has neither all sources nor the tools that build them. Throws EnvironmentError there. */
export function needCheckout(): void {
  if (isCheckout()) return;
  throw new EnvironmentError(
    'the installed package cannot use the kernel backends: those need a source checkout',
    'use --backend sim, or run "npm run up" in a checkout and then afbus-topo there',
  );
}

/** Content of files of the project, by path below its root; a folder stands for its files. Throws EnvironmentError. */
export function contents(...paths: readonly string[]): string {
  needCheckout();
  return hash(
    ...paths.flatMap((path) => filesBelow(path)).flatMap((path) => [path, readFileSync(inProject(path))]),
  );
}

function filesBelow(path: string): string[] {
  if (!statSync(inProject(path)).isDirectory()) return [path];
  return readdirSync(inProject(path))
    .sort()
    .flatMap((name) => filesBelow(join(path, name)));
}

/** A file that a build of ours makes. Throws EnvironmentError. */
export function built(path: string, how: string): string {
  needCheckout();
  const file = inProject(path);
  if (!statSync(file, { throwIfNoEntry: false })) {
    throw new EnvironmentError(
      `${path} is not built`,
      `run "sh bin/setup", which builds whatever is missing, or "${how}" for this alone`,
    );
  }
  return file;
}

/** Big files that others install change with their size and time. */
export function stamp(file: string): string {
  const s = statSync(file, { throwIfNoEntry: false });
  return s ? `${s.size} ${s.mtimeMs}` : '';
}
