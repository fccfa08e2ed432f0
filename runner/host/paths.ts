// SPDX-License-Identifier: MIT
/** Where things are: the project, the user's cache, the state of a host. */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EnvironmentError } from '../common/errors.ts';
import { ownFolder } from '../common/folder.ts';
import type { KernelVersion } from './types.ts';

/** The project's folder, whether this code runs from source or from dist/. */
export const root = fileURLToPath(
  new URL(import.meta.url.includes('/dist/runner/') ? '../../..' : '../..', import.meta.url),
).replace(/\/$/, '');

/** Whether that folder is a checkout rather than an installed package. */
export const isCheckout = (): boolean => existsSync(inProject('runner/host'));

export const inProject = (...path: string[]): string => join(root, ...path);

export const cache = (...path: string[]): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'afbus-topo', ...path);

export const stateRoot = (): string =>
  join(process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'afbus-topo');

export const stateDir = (kernel: KernelVersion): string => join(stateRoot(), `host-${kernel}`);

/** Names in a folder of the cache, sorted; empty if there is no such folder. */
export function entries(folder: string): string[] {
  try {
    return readdirSync(cache(folder)).sort();
  } catch {
    return [];
  }
}

/**
 * Makes a folder that only its owner can enter, since images contain private keys. A folder that others could write to
 * is refused: they may have put its content there.
 */
export function privateFolder(path: string): string {
  try {
    if (((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o002) !== 0)
      throw new Error('other users could write it; remove it with all that is in it');
    ownFolder(path);
  } catch (cause) {
    const hint = 'point XDG_CACHE_HOME and XDG_STATE_HOME at folders of your own';
    throw new EnvironmentError(`${path} cannot be used: ${(cause as Error).message}`, hint, { cause });
  }
  return path;
}
