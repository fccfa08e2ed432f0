// SPDX-License-Identifier: MIT
/** Identifies this machine: several machines may share a home, and with it the state of a host. */

import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { EnvironmentError } from '../common/errors.ts';
import type { Host } from './types.ts';

/** The same after each boot. It is hashed, as machine-id(5) demands. */
export function machineId(): string {
  let id = '';
  try {
    id = readFileSync('/etc/machine-id', 'utf8').trim();
  } catch {} // some containers have no such file
  return hash('sha256', `afbus-topo ${id === '' ? hostname() : id}`).slice(0, 16);
}

/**
 * Throws if the host belongs to another machine: it may be alive, which cannot be seen from here, so its disk and state
 * are not touched.
 */
export function checkMachine(host: Host | null): void {
  if (host?.machine === undefined || host.machine === machineId()) return;
  throw new EnvironmentError(
    `the state of the AF_BUS host (Linux ${host.release}) belongs to another machine that shares this home`,
    'stop it there, or point XDG_STATE_HOME at a folder of this machine alone',
  );
}
