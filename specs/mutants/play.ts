// SPDX-License-Identifier: MIT
/** Plays topologies on a mutant until a check kills it: the one that it is expected to die by first, then all others. */

import { readdirSync } from 'node:fs';
import { inProject } from '../../runner/host/paths.ts';
import { EARLY_END } from '../../runner/verdict/early-end.ts';
import type { Verdict } from '../../runner/verdict/verdict.ts';
import { cli } from '../helpers/cli.ts';
import type { Mutant } from './mutant.ts';

/** Longer than any topology takes on an emulated host beside other work; one that hangs costs this and a few seconds. */
const LIMIT = '90s';
/** A fault that only some schedules show has that many tries. */
const TRIES = 3;

/** What came of a mutant. */
export interface Fate {
  /** Of the play that killed it, or the last. */
  readonly topology: string;
  /** The checks that killed it; none if it survived. */
  readonly checks: readonly string[];
  /** How many plays it took. */
  readonly plays: number;
  /** Why plays had no verdict, if there were any such. */
  readonly broken: readonly string[];
}

/** Plays until something kills it, or nothing is left to play. */
export async function playUntilDead(
  mutant: Mutant,
  modules: string,
  { named }: { readonly named: boolean },
): Promise<Fate> {
  const { topology: first } = mutant;
  const others = named ? [] : topologies().filter((name) => name !== first);
  const broken = new Set<string>();
  let fate: Fate = { topology: first, checks: [], plays: 0, broken: [] };
  for (const topology of [...Array.from({ length: TRIES }, () => first), ...others]) {
    const verdicts = await play(topology, modules);
    for (const { result, reason = '' } of verdicts) if (result === 'error') broken.add(reason);
    if (verdicts.length === 0) broken.add('no verdict');
    fate = { topology, checks: failures(verdicts), plays: fate.plays + 1, broken: [...broken] };
    if (fate.checks.length > 0) break;
  }
  return fate;
}

/** A run that an error of the environment prevented has no checks. */
type Played = Pick<Verdict, 'result' | 'reason'> & Partial<Pick<Verdict, 'checks'>>;
const NONE: Verdict['checks'] = [];

/** The checks that fail, by name. */
function failures(verdicts: readonly Played[]): readonly string[] {
  const failed = verdicts
    .flatMap(({ checks = NONE }) => checks)
    .filter((check) => check.failures.some(({ kind }) => !EARLY_END.includes(kind)));
  return [...new Set(failed.map(({ name }) => name))];
}

/** Plays it with these modules; no verdict at all if the host broke. */
export async function play(topology: string, modules: string): Promise<readonly Played[]> {
  const file = inProject('topologies', `${topology}.topo.yaml`);
  const args = ['run', '--quiet', '--no-untrusted', '--launcher', 'process', '--timeout', LIMIT];
  const { stdout } = await cli([...args, '--format', 'json', file], { env: { AFBUS_MODULES: modules } });
  return [JSON.parse(stdout || '[]') as Played | Played[]].flat();
}

const SUFFIX = '.topo.yaml';

export const topologies = (): string[] =>
  readdirSync(inProject('topologies'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length));
