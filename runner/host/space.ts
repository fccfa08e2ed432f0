// SPDX-License-Identifier: MIT
/** Checks for free space before a build or a start, so that neither fails half-way. */

import { statfsSync } from 'node:fs';
import { EnvironmentError } from '../common/errors.ts';
import { privateFolder } from './paths.ts';

const BUILD_GIB = 3;

export function checkSpace(folder: string, gib = BUILD_GIB): void {
  const { bavail, bsize } = statfsSync(privateFolder(folder));
  const free = (bavail * bsize) / 2 ** 30;
  if (free >= gib) return;
  throw new EnvironmentError(
    `${folder} has ${free.toFixed(1)} GiB of free space, and ${gib} GiB are needed`,
    'free some space, run "afbus-topo host clean", or set XDG_CACHE_HOME and XDG_STATE_HOME to folders with more space',
  );
}
