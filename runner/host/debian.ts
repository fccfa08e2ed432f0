// SPDX-License-Identifier: MIT
/** What only Debian 12 can do runs in a container on other systems. */

import { readFileSync } from 'node:fs';
import { inProject } from './paths.ts';

export function isDebian(): boolean {
  try {
    return /^VERSION_CODENAME=bookworm$/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

/** The command, wrapped so that it runs on Debian 12 wherever we are. */
export const onDebian = (...argv: readonly string[]): string[] => [inProject('images/in-debian'), ...argv];
