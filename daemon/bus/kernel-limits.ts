// SPDX-License-Identifier: MIT
/** What the kernel lets one client have. The bus promises no more, so that it can say LimitsExceeded itself. */
import { existsSync, readFileSync } from 'node:fs';
import type { Limits } from '../driver/limits.ts';

/** The client's unique name counts for the bus, and is none for nfdbus. */
const UNIQUE = 1;

export const withinKernel = (limits: Limits, read = readParameter): Limits => ({
  ...limits,
  max_match_rules_per_connection: Math.min(limits.max_match_rules_per_connection, read('max_rules')),
  max_names_per_connection: Math.min(limits.max_names_per_connection, read('max_names') + UNIQUE),
});

/** Without sysfs there is no telling. */
function readParameter(name: string): number {
  const path = `/sys/module/nfdbus/parameters/${name}`;
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : Number.POSITIVE_INFINITY;
}
