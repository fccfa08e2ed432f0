// SPDX-License-Identifier: MIT
/** Debian 12 or not: what only it can do runs in a container elsewhere. */

import { readFileSync } from 'node:fs';
import { inProject } from './paths.ts';

export function isDebian(): boolean {
  try {
    return /^VERSION_CODENAME=bookworm$/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

/** The command as it is run on Debian 12, wherever we are. */
export const onDebian = (...argv: readonly string[]): string[] => [inProject('images/in-debian'), ...argv];
