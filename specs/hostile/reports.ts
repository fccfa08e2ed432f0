// SPDX-License-Identifier: MIT
/** Runs beside a node that lies: each ends with a verdict, or with an error of the environment that names a node. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { FORMATS } from '../../runner/cli/options.ts';
import { report } from '../../runner/cli/report-error.ts';
import { writeResults } from '../../runner/cli/results.ts';
import { Deadline } from '../../runner/common/deadline.ts';
import { mix } from '../../runner/common/envelope.ts';
import { EnvironmentError, RunTimeout } from '../../runner/common/errors.ts';
import { SILENT } from '../../runner/common/progress.ts';
import { Random } from '../../runner/common/random.ts';
import { inProject } from '../../runner/host/paths.ts';
import { load } from '../../runner/load/index.ts';
import { type Played, play } from '../../runner/pipeline.ts';
import { type Plan, plan } from '../../runner/plan/index.ts';
import type { Site } from '../../runner/provision/site.ts';
import { writeTrace } from '../../runner/trace/file.ts';
import type { Trace } from '../../runner/trace/trace.ts';
import { renderSequence } from '../../runner/write/sequence.ts';
import { assertHarmless } from '../helpers/harmless.ts';
import { captured } from './captured.ts';
import { liarSite } from './liar.ts';

export interface Reports {
  readonly seed: number;
  /** At least that many lies. */
  readonly lines: number;
  readonly progress?: (lines: number) => void;
  /** In bytes, beyond what the process has at its start. */
  readonly mostMemory?: number;
}

const TOPOLOGIES = [
  'quickstart',
  'fd-passing',
  'slow-receiver',
  'restart',
  'groups',
  'eavesdrop',
  'kill-node',
  'credentials',
  'message-bus/calls',
  'message-bus/activation',
  'message-bus/programs-call',
];
const TIMEOUT_MS = 60_000;
/** Of processor, for one run with its reports. */
const MAX_SECONDS = 30;
const MAX_MEMORY = 768 * 1024 * 1024;

/** A line for each violation, with the run that shows it. */
export async function playReports({
  seed,
  lines,
  progress,
  mostMemory = MAX_MEMORY,
}: Reports): Promise<readonly string[]> {
  const plans = TOPOLOGIES.map(planOf);
  const before = process.memoryUsage.rss();
  const found: string[] = [];
  let lies = 0;
  for (let run = 0; lies < lines; run++) {
    progress?.(lies);
    const random = new Random(mix(seed, run));
    const planned = random.pick(plans);
    const liar = liarSite(random, mix(seed, run), random.pick(planned.topology.nodes).name);
    const each = await violationsOf(planned, liar.site);
    lies += liar.lies();
    const more = process.memoryUsage.rss() - before;
    if (more > mostMemory) each.push(`it took ${Math.round(more / 2 ** 20)} MiB of memory`);
    found.push(
      ...each.map((violation) => `seed ${seed}, run ${run} (${planned.topology.name}): ${violation}`),
    );
    if (more > mostMemory) break;
  }
  return found;
}

export function planOf(name: string): Plan {
  const { topology } = load(inProject(`topologies/${name}.topo.yaml`));
  if (!topology) throw new Error(`${name} cannot be loaded`);
  return plan(topology, { seed: 1 });
}

export async function violationsOf(planned: Plan, site: Site, mostSeconds = MAX_SECONDS): Promise<string[]> {
  const from = process.cpuUsage();
  try {
    const played = await play(planned, site, {
      ...{ deadline: new Deadline(TIMEOUT_MS, site.clock), keep: false, progress: SILENT, warnings: [] },
      signal: new AbortController().signal,
    });
    const found = [...wrongEnd(played), ...(await wrongOutputs(played))];
    const { user, system } = process.cpuUsage(from);
    const seconds = (user + system) / 1e6;
    return seconds > mostSeconds ? [...found, `it took ${seconds.toFixed(1)} s of processor`] : found;
  } catch (error) {
    return [`it threw: ${inspect(error)}`];
  } finally {
    site.release();
  }
}

function wrongEnd({ error, plan: { topology } }: Played): readonly string[] {
  if (error === null || error instanceof RunTimeout) return [];
  if (!(error instanceof EnvironmentError)) return [`it ended with ${inspect(error)}`];
  const names = [
    ...topology.nodes.map(({ name }) => name),
    ...topology.clients.map(({ name }) => name),
    'master',
  ];
  return names.some((name) => error.message.includes(name)) ? [] : [`it names no node: ${error.message}`];
}

async function wrongOutputs(played: Played): Promise<readonly string[]> {
  const { error } = played;
  const found: string[] = [];
  const { trace } = played;
  const artifacts = trace ? [renderSequence(played.plan, trace), traceText(trace)].join('\n') : '';
  const result = { file: 'a.topo.yaml', exitCode: 0 as const, played, error, sources: new Map() };
  for (const format of [...FORMATS, 'artifacts'] as const) {
    const said = await captured(async () => {
      if (error) report(error);
      if (format === 'artifacts') process.stdout.write(artifacts);
      else writeResults([result], format);
    });
    try {
      assertHarmless(said, format);
    } catch (wrong) {
      found.push(`${format}: ${(wrong as Error).message.slice(0, 2000)}`);
    }
  }
  return found;
}

function traceText(trace: Trace): string {
  const folder = mkdtempSync(join(tmpdir(), 'afbus-hostile-'));
  try {
    writeTrace(join(folder, 'trace.jsonl'), trace);
    return readFileSync(join(folder, 'trace.jsonl'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true });
  }
}
