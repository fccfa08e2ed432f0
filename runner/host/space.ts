// SPDX-License-Identifier: MIT
/** Is there room? Asked before a build or a start, not found out half-way. */

import { statfsSync } from 'node:fs';
import { EnvironmentError } from '../common/errors.ts';
import { privateFolder } from './paths.ts';

const BUILD_GIB = 3;

export function checkSpace(folder: string, gib = BUILD_GIB): void {
  const { bavail, bsize } = statfsSync(privateFolder(folder));
  const free = (bavail * bsize) / 2 ** 30;
  if (free >= gib) return;
  throw new EnvironmentError(
    `${gib} GiB are needed in ${folder}, ${free.toFixed(1)} are free`,
    'free some space, run "afbus-topo host clean", or set XDG_CACHE_HOME and XDG_STATE_HOME to where there is more',
  );
}
