// SPDX-License-Identifier: MIT
/** Users and groups by name, from wherever this machine has them. */
import { execFileSync } from 'node:child_process';
import type { Accounts } from './config/policy-rule.ts';

export const accounts: Accounts = {
  user: (name) => idOf('passwd', name),
  group: (name) => idOf('group', name),
};

/** `name:x:1000:…`; undefined if getent knows none. */
function idOf(database: string, name: string): number | undefined {
  try {
    const line = execFileSync('getent', [database, name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return Number(line.split(':')[2]);
  } catch {
    return undefined;
  }
}
