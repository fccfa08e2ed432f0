// SPDX-License-Identifier: MIT
/** What this machine needs for the host: for `doctor`, and checked before every build. */

import { readFileSync } from 'node:fs';
import { EnvironmentError } from '../common/errors.ts';
import { isDebian } from './debian.ts';
import { inProject } from './paths.ts';
import { findProgram } from './program.ts';

export interface Requirement {
  readonly command: string;
  /** The Debian package that contains it. */
  readonly package: string;
  readonly why: string;
}

const DOCKER = { command: 'docker', package: 'docker.io', why: 'builds in a debian:12 container' };

export function requirements(): readonly Requirement[] {
  return [...read('requirements'), ...(isDebian() ? read('requirements.debian') : [DOCKER])];
}

/** One `command package why…` per line; images/setup reads the same files. */
function read(name: string): readonly Requirement[] {
  return readFileSync(inProject('images', name), 'utf8')
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => {
      const [command = '', name = '', ...why] = line.split(/\s+/);
      return { command, package: name, why: why.join(' ') };
    });
}

/** Requirements that this machine lacks. */
export const missing = (): readonly Requirement[] =>
  requirements().filter(({ command }) => findProgram(command) === null);

export async function checkRequirements(): Promise<void> {
  const lacking = missing();
  if (lacking.length === 0) return;
  const names = [...new Set(lacking.map((r) => r.package))].join(' ');
  throw new EnvironmentError(
    `the AF_BUS host needs ${lacking.map((r) => `${r.command} (${r.why})`).join(', ')}`,
    `run "sh images/setup", or as root: apt-get install --no-install-recommends ${names}`,
  );
}
