// SPDX-License-Identifier: MIT
/** The machine as D-Bus knows it: what GetMachineId answers. */
import { existsSync, readFileSync } from 'node:fs';

const DIGITS = 32;

/** Zeros if this machine has none, as in some containers. */
export function machineId(): string {
  for (const path of ['/var/lib/dbus/machine-id', '/etc/machine-id'])
    if (existsSync(path)) return readFileSync(path, 'utf8').trim();
  return '0'.repeat(DIGITS);
}
