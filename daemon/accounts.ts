// SPDX-License-Identifier: MIT
/** Looks up users and groups by name, in all sources that this machine has. */
import { execFileSync } from 'node:child_process';
import type { Accounts } from './config/policy-rule.ts';

export const accounts: Accounts = {
  user: (name) => idOf('passwd', name),
  group: (name) => idOf('group', name),
};

/** The line `name:x:1000:…`; undefined if getent finds none. */
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
