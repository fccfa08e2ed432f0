// SPDX-License-Identifier: MIT
/**
 * `npm run outcomes [-- NAME…] [--runs N] [--artifacts DIR]`: what several runs on the kernel show of each topology that
 * another run need not show, and whether 50 schedules of the simulated bus show all of it. It fails if they do not. Runs
 * that `--artifacts` holds already are not played again.
 */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { inProject } from '../../runner/host/paths.ts';
import { load } from '../../runner/load/index.ts';
import { plan } from '../../runner/plan/index.ts';
import { readTrace } from '../../runner/trace/file.ts';
import { collect } from '../../runner/verdict/facts.ts';
import { cli } from '../helpers/cli.ts';
import { topologies } from '../mutants/play.ts';
import { playFile } from '../unit/sim/play.ts';
import { outcomesOf } from './outcome.ts';

const SEEDS = 50;
/** Runs that show whether outcomes differ. */
const FEWEST = 2;
const PARALLEL = /^\s*- parallel:|nonblocking: true|overflow:/m;

const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '6' }, artifacts: { type: 'string' } },
  allowPositionals: true,
});
const seeds = Array.from({ length: Number(values.runs) }, (_, n) => n + 1);
const artifacts = values.artifacts ?? mkdtempSync(join(tmpdir(), 'afbus-outcomes-'));

const fileOf = (name: string) => inProject('topologies', `${name}.topo.yaml`);

/** Those whose runs can differ; a matrix is several topologies. */
const isChosen = (name: string): boolean => {
  const text = readFileSync(fileOf(name), 'utf8');
  return positionals.length > 0 ? positionals.includes(name) : PARALLEL.test(text) && !/^matrix:/m.test(text);
};

let missing = 0;
for (const name of topologies().filter(isChosen)) {
  const real = await onKernel(name);
  if (real.length < FEWEST) {
    missing++;
    process.stdout.write(
      `${name}: only ${real.length} of ${seeds.length} runs ended, nothing can be compared\n`,
    );
    continue;
  }
  const differing = [...new Set(real.flatMap((one) => [...one]))].filter((outcome) =>
    real.some((one) => !one.has(outcome)),
  );
  const simulated = differing.length > 0 ? await onSim(name) : new Map<string, number>();
  const unseen = differing.filter((outcome) => !simulated.has(outcome));
  missing += unseen.length;
  const verdict = unseen.length === 0 ? 'all on sim' : `${unseen.length} NOT on sim`;
  process.stdout.write(
    `${name}: ${real.length} runs, ${differing.length} outcomes that differ, ${verdict}\n`,
  );
  for (const outcome of unseen) process.stdout.write(`  ${outcome}\n`);
}
if (values.artifacts === undefined) rmSync(artifacts, { recursive: true });
process.exitCode = missing === 0 ? 0 : 1;

/** One set for each run. */
async function onKernel(name: string): Promise<readonly ReadonlySet<string>[]> {
  const { topology } = load(fileOf(name));
  if (!topology) throw new Error(`${name} does not load`);
  const traceOf = (seed: number) => join(artifacts, `${topology.name}.seed=${seed}`, 'trace.jsonl');
  if (!seeds.every((seed) => existsSync(traceOf(seed)))) {
    const args = ['run', '--quiet', '--launcher', 'process', '--seed', '1', '--repeat', `${seeds.length}`];
    await cli([...args, '--timeout', '90s', '--artifacts', artifacts, fileOf(name)]);
  }
  // A run that was cut short by a slow machine shows no outcome.
  return seeds.flatMap((seed) => {
    const trace = existsSync(traceOf(seed)) ? readTrace(traceOf(seed)) : undefined;
    return !trace || trace.cut !== undefined ? [] : [outcomesOf(collect(plan(topology, { seed }), trace))];
  });
}

/** Outcome → in how many schedules it was seen. */
async function onSim(name: string): Promise<ReadonlyMap<string, number>> {
  const seen = new Map<string, number>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { plan: planned, trace } = await playFile(fileOf(name), { seed });
    if (!trace) throw new Error(`${name} broke on sim with seed ${seed}`);
    for (const outcome of outcomesOf(collect(planned, trace)))
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
  }
  return seen;
}
