// SPDX-License-Identifier: MIT
/**
 * Plays random topologies on a simulated bus and, if one is given, on a real kernel. Both runs are judged by the
 * model's prediction and compared with each other. A scenario that goes wrong is made as small as possible.
 */
import { mix } from '../common/envelope.ts';
import { Random } from '../common/random.ts';
import type { Plan } from '../plan/plan.ts';
import type { Site } from '../provision/site.ts';
import { compare } from './compare.ts';
import { generate } from './generate.ts';
import { planOf, playOn, type Seen } from './play.ts';
import type { Scenario } from './scenario.ts';
import { shrink } from './shrink.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly runs: number;
  /** A fresh simulated bus. */
  readonly sim: (seed: number) => Site;
  /** Present if a kernel is tested. */
  readonly kernel?: Site;
  /** Go on after the first failure. */
  readonly all: boolean;
  readonly signal: AbortSignal;
  readonly progress: (text: string) => void;
  readonly found: (finding: Finding) => void;
}

/** Something that went wrong. */
export interface Finding {
  readonly run: number;
  /** Made as small as possible. */
  readonly scenario: Scenario;
  /** Makes bodies, sizes and the simulated schedule. */
  readonly seed: number;
  readonly problem: Problem;
}

export interface Problem {
  readonly where: 'sim' | 'kernel' | 'both';
  /** Equal for the same mistake: a check and a kind, or a word. */
  readonly kind: string;
  readonly words: readonly string[];
}

export interface Played {
  readonly runs: number;
  readonly messages: number;
  readonly findings: number;
}

/** Number of small buses per scenario: on a kernel, starting the processes takes longer than the traffic. */
const BUSES = 5;
const MAX_DRAWS = 20;
/** Maximum number of smaller scenarios to try: on a kernel each takes seconds. */
const MAX_TRIES = { sim: 600, kernel: 60 };

export async function fuzz(options: FuzzOptions): Promise<Played> {
  const { seed, runs, progress, signal } = options;
  let [messages, findings] = [0, 0];
  for (let run = 1; run <= runs; run++) {
    if (signal.aborted || (findings > 0 && !options.all)) return { runs: run - 1, messages, findings };
    progress(`run ${run} of ${runs}, ${messages} messages, ${findings} found`);
    const { drawn, planned } = draw(seed, run);
    messages += planned.messages.length;
    const problem = await problemOf(planned, run, options);
    if (!problem) continue;
    findings++;
    options.found(await smallest(drawn, run, problem, options));
  }
  return { runs, messages, findings };
}

/** The first drawn scenario that has a plan: with the drawn sizes it may have none. */
function draw(seed: number, run: number): { readonly drawn: Scenario; readonly planned: Plan } {
  const random = new Random(mix(seed, run));
  const about = [`Made by afbus-topo fuzz --seed ${seed}, run ${run}.`];
  for (let tries = 0; tries < MAX_DRAWS; tries++) {
    const buses = generate(random, BUSES);
    const drawn: Scenario = { name: `fuzz-${seed}-${run}`, about, packed: !random.oneIn(3), buses };
    const planned = planOf(drawn, run);
    if (planned) return { drawn, planned };
  }
  throw new Error(`the loader refuses what was drawn for run ${run} of seed ${seed}`);
}

async function smallest(
  drawn: Scenario,
  run: number,
  first: Problem,
  options: FuzzOptions,
): Promise<Finding> {
  let problem = first;
  const kernel = first.where === 'sim' ? undefined : options.kernel;
  let tries = 0;
  const wrong = async (smaller: Scenario) => {
    const planned = planOf(smaller, run);
    if (!planned || options.signal.aborted) return false;
    options.progress(`run ${run}: ${first.kind} on ${first.where}; making it smaller, try ${++tries}`);
    const now = await problemOf(planned, run, { ...options, kernel });
    if (now?.kind !== first.kind || now.where !== first.where) return false;
    problem = now;
    return true;
  };
  // On a kernel the failure may depend on timing: what does not happen again cannot be made smaller.
  if (!(await wrong(drawn))) {
    const words = [...first.words, 'It did not happen again when the same was played once more.'];
    return { run, scenario: drawn, seed: run, problem: { ...first, words } };
  }
  const most = MAX_TRIES[kernel ? 'kernel' : 'sim'];
  const scenario = await shrink(drawn, wrong, most);
  return { run, scenario, seed: run, problem };
}

type Sites = Pick<FuzzOptions, 'sim' | 'signal'> & { readonly kernel?: Site | undefined };

/** What went wrong: on the simulated bus, on the kernel, or in the comparison of the two. */
async function problemOf(planned: Plan, seed: number, sites: Sites): Promise<Problem | undefined> {
  const simulated = await playOn(sites.sim(seed), planned, sites.signal);
  const wrong = wrongWith(simulated, 'sim');
  if (wrong || !sites.kernel) return wrong;
  const real = await playOn(sites.kernel, planned, sites.signal);
  return wrongWith(real, 'kernel') ?? differing(planned, simulated, real);
}

function wrongWith({ failed, error }: Seen, where: Problem['where']): Problem | undefined {
  if (error) return { where, kind: error.name, words: [error.message] };
  const [first] = failed.flatMap((check) => check.failures);
  if (!first) return undefined;
  const words = failed.flatMap(({ failures }) =>
    failures.flatMap(({ check, step, summary, expected, observed, detail = [] }) => [
      `${check}${step === undefined ? '' : `, step ${step}`}: ${summary}`,
      `  expected ${expected}`,
      `  observed ${observed}`,
      ...detail.map((line) => `  ${line}`),
    ]),
  );
  return { where, kind: `${first.check} ${first.kind}`, words };
}

function differing(planned: Plan, simulated: Seen, real: Seen): Problem | undefined {
  if (!simulated.trace || !real.trace) return undefined;
  const found = compare(planned, simulated.trace, real.trace);
  if (!found) return undefined;
  const { message, step, one, other } = found;
  const words = [`${message}, step ${step}:`, `  simulated ${one}`, `  kernel    ${other}`];
  return { where: 'both', kind: 'difference', words };
}
