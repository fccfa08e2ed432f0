// SPDX-License-Identifier: MIT
/** Cache keys: a stage's key is the hash of all its inputs. */

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

/** Throws EnvironmentError in an installed package, which has neither all the sources nor the tools that build them. */
export function needCheckout(): void {
  if (isCheckout()) return;
  throw new EnvironmentError(
    'the installed package cannot use the kernel backends: those need a source checkout',
    'use --backend sim, or run "npm run up" in a checkout and then afbus-topo there',
  );
}

/**
 * Hash of the contents of project files, by path below the project's root; a folder stands for all its files. Throws
 * EnvironmentError.
 */
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

/** Path of a file that a build of this project makes. Throws EnvironmentError if it is not there. */
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

/** Stands for the content of a big file that another program installs: its size and time. */
export function stamp(file: string): string {
  const s = statSync(file, { throwIfNoEntry: false });
  return s ? `${s.size} ${s.mtimeMs}` : '';
}
