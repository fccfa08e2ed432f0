// SPDX-License-Identifier: MIT
/** Which machine this is: a home, and with it the state of a host, may be shared by several. */

import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { EnvironmentError } from '../common/errors.ts';
import type { Host } from './types.ts';

/** The same after each boot; hashed, as machine-id(5) asks for. */
export function machineId(): string {
  let id = '';
  try {
    id = readFileSync('/etc/machine-id', 'utf8').trim();
  } catch {} // some containers have none
  return hash('sha256', `afbus-topo ${id === '' ? hostname() : id}`).slice(0, 16);
}

/** A host of another machine may be alive, and nobody here can tell: its disk and its state are left alone. */
export function checkMachine(host: Host | null): void {
  if (host?.machine === undefined || host.machine === machineId()) return;
  throw new EnvironmentError(
    `the state of the AF_BUS host (Linux ${host.release}) belongs to another machine that shares this home`,
    'stop it there, or point XDG_STATE_HOME at a folder of this machine alone',
  );
}
