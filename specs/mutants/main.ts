// SPDX-License-Identifier: MIT
/**
 * `npm run mutants [-- NAME… | --named | --sound N]`: plays topologies on each mutant of kernel/mutants/ until a check
 * kills it, and prints the table. It passes if each dies by the topology and the check that its file names.
 */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { inProject } from '../../runner/host/paths.ts';
import { Tree } from './build.ts';
import { type Mutant, mutants } from './mutant.ts';
import { type Fate, play, playUntilDead, topologies } from './play.ts';

const { values, positionals } = parseArgs({
  options: { named: { type: 'boolean', default: false }, sound: { type: 'string' } },
  allowPositionals: true,
});
const version = process.env.AFBUS_KERNEL ?? '6.12';
const release = execFileSync(inProject('images/kernel/release'), [version], { encoding: 'utf8' }).trim();
const passed = values.sound === undefined ? await killAll() : await playSound(Number(values.sound));
process.exitCode = passed ? 0 : 1;

async function killAll(): Promise<boolean> {
  const tree = new Tree(release);
  const chosen = mutants(positionals);
  const width = Math.max(...chosen.map(({ name }) => name.length));
  let dead = 0;
  for (const mutant of chosen) {
    const from = performance.now();
    const fate = await playUntilDead(mutant, tree.make(mutant), values);
    if (asExpected(mutant, fate)) dead++;
    const seconds = ((performance.now() - from) / 1000).toFixed(0).padStart(4);
    process.stdout.write(`${seconds} s  ${mutant.name.padEnd(width)}  ${inWords(mutant, fate)}\n`);
  }
  process.stdout.write(`${dead} of ${chosen.length} mutants died as their files say\n`);
  return dead === chosen.length;
}

function asExpected({ topology, check }: Mutant, fate: Fate): boolean {
  return fate.topology === topology && fate.checks.includes(check);
}

function inWords(mutant: Mutant, fate: Fate): string {
  const { topology, checks, plays, broken } = fate;
  const tries = plays === 1 ? '' : ` (play ${plays})`;
  if (checks.length === 0) return [`SURVIVED${tries}: ${mutant.fault}`, ...broken].join('\n        ');
  const expected = asExpected(mutant, fate) ? '' : `  EXPECTED ${mutant.topology}: ${mutant.check}`;
  return `${topology}: ${checks.join(', ')}${tries}; ${mutant.selfTest ?? 'no self-test'}${expected}`;
}

/** The modules as they are: all must pass. */
async function playSound(times: number): Promise<boolean> {
  let wrong = 0;
  for (let n = 1; n <= times; n++) {
    for (const topology of topologies()) {
      const verdicts = await play(topology, join('build/kernel', release));
      if (verdicts.length > 0 && verdicts.every(({ result }) => result === 'pass')) continue;
      wrong++;
      const reasons = verdicts.map(({ result, reason = '' }) => `${result} ${reason}`);
      process.stdout.write(`${topology}, play ${n}: ${reasons.join(', ') || 'no verdict'}\n`);
    }
  }
  process.stdout.write(`${times} plays of each topology, ${wrong} failed\n`);
  return wrong === 0;
}
