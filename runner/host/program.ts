// SPDX-License-Identifier: MIT
/** Finds a program as a shell would. */

import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/**
 * Its path, or null. An ordinary user's PATH may lack the folders of administrators' programs, so these are searched as
 * well.
 */
export function findProgram(name: string): string | null {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
