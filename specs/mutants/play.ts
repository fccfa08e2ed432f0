// SPDX-License-Identifier: MIT
/** Plays topologies on a mutant until a check kills it: the one that it is expected to die by first, then all others. */

import { readdirSync } from 'node:fs';
import { inProject } from '../../runner/host/paths.ts';
import type { Verdict } from '../../runner/verdict/verdict.ts';
import { cli } from '../helpers/cli.ts';
import type { Mutant } from './mutant.ts';

/** Longer than any topology takes on an emulated host beside other work; one that hangs costs this and a few seconds. */
const LIMIT = '60s';
/** A fault that only some schedules show has that many tries. */
const TRIES = 3;

export interface Death {
  readonly topology: string;
  readonly checks: readonly string[];
  /** How many plays it took. */
  readonly plays: number;
}

/** What killed it; null if it survived everything. */
export async function playUntilDead(
  mutant: Mutant,
  modules: string,
  { named }: { readonly named: boolean },
): Promise<Death | null> {
  const first = Array.from({ length: TRIES }, () => mutant.topology);
  const others = named ? [] : topologies().filter((name) => name !== mutant.topology);
  let plays = 0;
  for (const topology of [...first, ...others]) {
    plays++;
    const checks = await failures(topology, modules);
    if (checks.length > 0) return { topology, checks, plays };
  }
  return null;
}

/** The checks that fail, by name; none if it passes, or proves nothing. */
async function failures(topology: string, modules: string): Promise<readonly string[]> {
  const checks = (await play(topology, modules)).flatMap((verdict) => verdict.checks);
  const failed = checks.filter((check) => check.failures.some(({ kind }) => !OF_THE_RUN.includes(kind)));
  return [...new Set(failed.map(({ name }) => name))];
}

/** Plays it with these modules; no verdict at all if the host broke. */
export async function play(topology: string, modules: string): Promise<readonly Verdict[]> {
  const file = inProject('topologies', `${topology}.topo.yaml`);
  const args = ['run', '--quiet', '--no-untrusted', '--launcher', 'process', '--timeout', LIMIT];
  const { stdout } = await cli([...args, '--format', 'json', file], { env: { AFBUS_MODULES: modules } });
  return [JSON.parse(stdout || '[]') as Verdict | Verdict[]].flat();
}

/** What says that the run ended early, and not why. */
const OF_THE_RUN = ['cut', 'crashed'];

const SUFFIX = '.topo.yaml';

export const topologies = (): string[] =>
  readdirSync(inProject('topologies'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length));
