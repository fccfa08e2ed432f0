// SPDX-License-Identifier: MIT
/** What the kernel allows a client. The bus allows no more, so that it can answer LimitsExceeded itself. */
import { existsSync, readFileSync } from 'node:fs';
import type { Limits } from '../driver/limits.ts';

/** The client's unique name counts for the bus, but nfdbus does not count it. */
const UNIQUE = 1;

export const withinKernel = (limits: Limits, read = readParameter): Limits => ({
  ...limits,
  max_match_rules_per_connection: Math.min(limits.max_match_rules_per_connection, read('max_rules')),
  max_names_per_connection: Math.min(limits.max_names_per_connection, read('max_names') + UNIQUE),
});

/** Without sysfs the limits are not known. */
function readParameter(name: string): number {
  const path = `/sys/module/nfdbus/parameters/${name}`;
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : Number.POSITIVE_INFINITY;
}
