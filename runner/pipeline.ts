// SPDX-License-Identifier: MIT
/** The main job, stage by stage: file → topology → plan → lab → trace → verdict. */

import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Deadline } from './common/deadline.ts';
import type { Diagnostic } from './common/diagnostic.ts';
import { EnvironmentError, InvalidInput, TopoError } from './common/errors.ts';
import { type Loaded, type LoadOptions, load, renderDiagnostics } from './load/index.ts';
import { plan as makePlan } from './plan/index.ts';
import type { Plan } from './plan/plan.ts';
import type { Lab } from './provision/lab.ts';
import { newRun, type Ownership, ownership } from './provision/labels.ts';
import type { Site } from './provision/site.ts';
import { run } from './run/index.ts';
import type { Topology } from './topology/topology.ts';
import type { Trace } from './trace/trace.ts';
import { judge } from './verdict/index.ts';
import type { CheckResult, Result, Verdict } from './verdict/verdict.ts';

export type Stage = <T>(
  title: string,
  work: (detail: (text: string) => void) => Promise<T> | T,
) => Promise<T>;

export interface PlayOptions {
  readonly file: string;
  /** Which of the file's combinations; its first where absent. Throws InvalidTopology. */
  readonly topology?: () => Topology;
  /** ms, for nodes and traffic together. */
  readonly timeout: number;
  readonly seed?: number;
  /** Leave the nodes running when there is a verdict (`up`). */
  readonly keep: boolean;
  /** Take down what is up under the same name first, instead of refusing. */
  readonly replace: boolean;
  readonly site: (seed: number, detail: (text: string) => void) => Promise<Site>;
  readonly signal: AbortSignal;
  readonly stage: Stage;
  readonly timings: Readonly<Record<string, number>>;
  /** What loading the file warned of. */
  readonly warnings?: () => readonly Diagnostic[];
}

export interface Played {
  readonly verdict: Verdict;
  readonly plan: Plan;
  /** null when the environment broke before there was one. */
  readonly trace: Trace | null;
  /** What broke; the verdict's result is `error` then. */
  readonly error: TopoError | null;
}

/** Reads and checks a topology, in all its combinations; what is said of it otherwise are warnings. */
export function loadTopologies(
  file: string,
  options?: LoadOptions,
): Loaded & { readonly topology: Topology } {
  const loaded = load(file, options);
  const { topology } = loaded;
  if (topology === undefined) throw new InvalidTopology(loaded);
  return { ...loaded, topology };
}

/** A file with mistakes; its message is every diagnostic, rendered. */
export class InvalidTopology extends InvalidInput {
  readonly loaded: Loaded;

  constructor(loaded: Loaded) {
    super(renderDiagnostics(loaded.diagnostics, loaded.sources), '');
    this.loaded = loaded;
  }
}

/** Plays one topology to its verdict. Throws only before anything was started. */
export async function play(options: PlayOptions): Promise<Played> {
  const { stage } = options;
  const plan = await stage('load', (detail) => {
    const topology = options.topology?.() ?? loadTopologies(options.file).topology;
    const made = makePlan(topology, { seed: options.seed ?? randomInt(2 ** 32) });
    detail(
      `${topology.name}: ${made.agents.length} processes on ${topology.nodes.length} nodes, ${made.messages.length} messages`,
    );
    return made;
  });
  const owner = ownership(newRun(), plan.topology.name, resolve(options.file), options.keep);
  const site = await stage('host', (detail) => options.site(plan.seed, detail));
  try {
    await makeRoom(site, owner, options);
    return await playOn(site, plan, owner, options);
  } finally {
    site.release();
  }
}

/** Refuses, or replaces, a topology of the same name that is up. */
async function makeRoom(site: Site, owner: Ownership, options: PlayOptions): Promise<void> {
  const runs = await site.others();
  if (!options.keep) return;
  for (const other of runs.filter((r) => r.kept && r.topology === owner.topology)) {
    if (!options.replace) {
      throw new EnvironmentError(
        `"${owner.topology}" is up already (run ${other.run}, since ${other.started})`,
        `run "afbus-topo down ${owner.topology}" first, or add --replace`,
      );
    }
    await options.stage('replace', () => site.remove(other));
  }
}

async function playOn(site: Site, plan: Plan, owner: Ownership, options: PlayOptions): Promise<Played> {
  const deadline = new Deadline(options.timeout, site.clock);
  let trace: Trace | null = null;
  let error: TopoError | null = null;
  let checks: readonly CheckResult[] = [];
  let result: Result = 'error';
  let reason: string | undefined;
  let account: readonly string[] = [];
  try {
    trace = await playTraffic(site, plan, owner, deadline, options, (cut) => {
      trace = cut;
    });
    const judged = await options.stage('judge', () => judge(plan, trace as Trace, site.where));
    ({ checks, result, reason, account } = judged);
  } catch (e) {
    error = await blame(e, site);
  }
  if (!options.keep || error) await takeDown(site, owner, options, error);
  const verdict = assemble(plan, owner, site, options, { trace, checks, result, reason, account, error });
  return { verdict, plan, trace, error };
}

async function playTraffic(
  site: Site,
  plan: Plan,
  owner: Ownership,
  deadline: Deadline,
  options: PlayOptions,
  onCut: (trace: Trace) => void,
): Promise<Trace> {
  const { signal, keep } = options;
  const lab = await options.stage('nodes', (detail) =>
    startNodes(site, plan, owner, deadline, options, detail),
  );
  try {
    return await options.stage('traffic', (detail) =>
      run(plan, lab, { signal, deadline, progress: detail, keep, onCut }),
    );
  } finally {
    for (const node of lab.nodes.values()) node.release();
  }
}

async function startNodes(
  site: Site,
  plan: Plan,
  owner: Ownership,
  deadline: Deadline,
  { signal }: PlayOptions,
  detail: (text: string) => void,
): Promise<Lab> {
  let ready = 0;
  const onNode = () => detail(`${++ready} of ${plan.topology.nodes.length} ready`);
  const starting = site.start(plan, owner, onNode);
  try {
    return await deadline.race('the nodes to start', signal, () => starting);
  } catch (e) {
    // What is still being made would outlive the clean-up: taking the nodes away ends it, and then all is there to go.
    await site.remove({ run: owner.run, launcher: site.where.launcher }).catch(() => {});
    await Promise.race([starting, site.broken]).catch(() => {});
    throw e;
  }
}

/** A host that died explains every other error of the same moment. */
async function blame(e: unknown, site: Site): Promise<TopoError> {
  if (e instanceof TopoError && !(e instanceof EnvironmentError)) return e;
  const died = await site.probe();
  if (died) return died;
  if (e instanceof TopoError) return e;
  throw e;
}

async function takeDown(site: Site, owner: Ownership, options: PlayOptions, error: TopoError | null) {
  if (error && (await site.probe())) return;
  await options.stage('down', () => site.remove({ run: owner.run, launcher: site.where.launcher }));
}

interface Outcome {
  readonly trace: Trace | null;
  readonly checks: readonly CheckResult[];
  readonly result: Result;
  /** Why it is `skip`. */
  readonly reason: string | undefined;
  readonly account: readonly string[];
  readonly error: TopoError | null;
}

function assemble(plan: Plan, owner: Ownership, site: Site, options: PlayOptions, out: Outcome): Verdict {
  const warnings = options.warnings?.() ?? [];
  const reason = out.error?.message ?? out.reason;
  const deliveries = [...(out.trace?.deliveries.values() ?? [])].flat().filter((d) => !d.fence).length;
  return {
    schemaVersion: 1,
    result: out.result,
    topology: plan.topology.name,
    file: plan.topology.file,
    run: owner.run,
    seed: plan.seed,
    where: site.where,
    checks: out.checks,
    counts: {
      sends: out.trace?.sends.length ?? 0,
      deliveries,
      clients: plan.topology.clients.length,
      nodes: plan.topology.nodes.length,
    },
    timings: { ...options.timings },
    ...(reason !== undefined && { reason }),
    ...(out.account.length > 0 && { account: out.account }),
    ...(warnings.length > 0 && { warnings }),
  };
}

/** The text of a topology, for reports that show its lines. */
export const sourceOf = (file: string): string => readFileSync(file, 'utf8');
