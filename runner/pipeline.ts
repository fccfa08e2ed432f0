// SPDX-License-Identifier: MIT
/** The main job in stages: plan → lab → trace → verdict. */

import { resolve } from 'node:path';
import { Deadline } from './common/deadline.ts';
import type { Diagnostic } from './common/diagnostic.ts';
import { AgentCrashed, EnvironmentError, RunTimeout, TopoError } from './common/errors.ts';
import type { Detail, Progress } from './common/progress.ts';
import type { Plan } from './plan/plan.ts';
import type { Lab } from './provision/lab.ts';
import { newRun, type Ownership, ownership } from './provision/labels.ts';
import type { Site } from './provision/site.ts';
import { run } from './run/index.ts';
import type { Trace } from './trace/trace.ts';
import { judge, judgeCut } from './verdict/index.ts';
import type { Judgement, Verdict } from './verdict/verdict.ts';

export interface PlayOptions {
  /** The deadline of the whole run; it began before the file was read. */
  readonly deadline: Deadline;
  /** Leave the nodes running if there is a verdict (`up`). */
  readonly keep: boolean;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Warnings about the file. */
  readonly warnings: readonly Diagnostic[];
}

export interface Played {
  readonly verdict: Verdict;
  readonly plan: Plan;
  /** null if the environment broke before there was a trace. */
  readonly trace: Trace | null;
  /** What broke; the verdict's result is `error` then. */
  readonly error: TopoError | null;
}

/** The state that the stages of one play share. */
interface Context {
  readonly plan: Plan;
  readonly site: Site;
  readonly owner: Ownership;
  readonly deadline: Deadline;
  readonly options: PlayOptions;
  lab: Lab | null;
  trace: Trace | null;
  judgement: Judgement | null;
  error: TopoError | null;
}

interface Stage {
  readonly title: string;
  readonly play: (context: Context, detail: Detail) => Promise<void> | void;
  /** Undoes what the stage did, even if it broke halfway. */
  readonly undo?: (context: Context) => Promise<void>;
}

const STAGES: readonly Stage[] = [
  { title: 'nodes', play: startNodes, undo: takeDown },
  { title: 'traffic', play: playTraffic },
  { title: 'judge', play: judgeTrace },
];

/**
 * Plays a plan to its verdict. Rejects only with errors that are not the environment's; nothing is left up then either.
 */
export async function play(plan: Plan, site: Site, options: PlayOptions): Promise<Played> {
  const { name, file } = plan.topology;
  const context: Context = {
    ...{ plan, site, options },
    owner: ownership(newRun(), name, resolve(file), options.keep),
    deadline: options.deadline.on(site.clock),
    ...{ lab: null, trace: null, judgement: null, error: null },
  };
  const begun: Stage[] = [];
  let unknown: unknown;
  try {
    for (const stage of STAGES) {
      begun.push(stage);
      await options.progress.stage(stage.title, (detail) => stage.play(context, detail));
    }
  } catch (error) {
    context.error = await blame(error, site);
    if (context.error === null) unknown = error;
  }
  for (const { undo } of begun.reverse()) await undo?.(context);
  if (unknown !== undefined) throw unknown;
  proveFailure(context);
  return { plan, trace: context.trace, error: context.error, verdict: verdictOf(context) };
}

/** How long nodes may take to be removed after the deadline of a run: longer than a busy engine needs. */
const REMOVAL_MS = 60_000;

/** Removes what killed runners left; refuses a topology of this name that is up, or replaces it. */
export async function makeRoom(
  topology: string,
  site: Site,
  {
    keep,
    replace,
    progress,
    deadline,
    signal,
  }: Omit<PlayOptions, 'warnings'> & { readonly replace: boolean },
): Promise<void> {
  const runs = await deadline
    .on(site.clock)
    .race('the list of the runs that are up', signal, () => site.others());
  if (!keep) return;
  for (const other of runs.filter((r) => r.kept && r.topology === topology)) {
    if (!replace) {
      throw new EnvironmentError(
        `"${topology}" is up already (run ${other.run}, since ${other.started})`,
        `run "afbus-topo down ${topology}" first, or add --replace`,
      );
    }
    await progress.stage('replace', () => removal(site, other));
  }
}

async function startNodes(context: Context, detail: Detail): Promise<void> {
  const { plan, site, owner, deadline, options } = context;
  let ready = 0;
  const onNode = () => detail(`${++ready} of ${plan.topology.nodes.length} ready`);
  const starting = site.start(plan, owner, onNode);
  try {
    context.lab = await deadline.race('the nodes to start', options.signal, () => starting);
  } catch (error) {
    // Removing the nodes also ends nodes that are still being made, which would outlive the clean-up otherwise.
    const gone = async () => {
      await removal(site, ownRun(context)).catch(() => {});
      await Promise.race([starting, site.broken]).catch(() => {});
    };
    await inTime(site, gone).catch(() => {});
    throw error;
  }
}

async function takeDown(context: Context): Promise<void> {
  const { site, lab, options, error, judgement } = context;
  for (const node of lab?.nodes.values() ?? []) node.release();
  if (options.keep && judgement !== null) return;
  if (error && (await site.probe())) return;
  await options.progress.stage('down', () => removal(site, ownRun(context)));
}

const ownRun = ({ site, owner }: Context) => ({ run: owner.run, launcher: site.where.launcher });

/** Throws EnvironmentError if it is not removed in time. */
const removal = (site: Site, run: Parameters<Site['remove']>[0]): Promise<void> =>
  inTime(site, () => site.remove(run)).catch((cause) => {
    if (!(cause instanceof RunTimeout)) throw cause;
    throw new EnvironmentError(
      `run ${run.run} is not taken down after ${REMOVAL_MS / 1000} s`,
      `look at "afbus-topo host logs"; "afbus-topo down ${run.run}" tries again`,
      { cause },
    );
  });

const inTime = (site: Site, work: () => Promise<void>): Promise<void> =>
  new Deadline(REMOVAL_MS, site.clock).race('nodes to be taken down', undefined, work);

async function playTraffic(context: Context, detail: Detail): Promise<void> {
  const { plan, lab, deadline, options } = context;
  const { signal, keep } = options;
  const onCut = (trace: Trace) => {
    context.trace = trace;
  };
  context.trace = await run(plan, lab as Lab, { signal, deadline, progress: detail, keep, onCut });
}

function judgeTrace(context: Context): void {
  context.judgement = judge(context.plan, context.trace as Trace, context.site.where);
}

/** If a run that was cut shows something that no correct bus does, it has failed, whatever cut it. */
function proveFailure(context: Context): void {
  const { plan, site, trace, error } = context;
  if (!trace || !(error instanceof RunTimeout || error instanceof AgentCrashed)) return;
  const proof = judgeCut(plan, trace, site.where);
  if (!proof) return;
  context.judgement = proof;
  context.error = null;
}

/** A host that died explains every other error at the same time; null for errors that are not the environment's. */
async function blame(error: unknown, site: Site): Promise<TopoError | null> {
  if (error instanceof TopoError && !(error instanceof EnvironmentError)) return error;
  const died = await site.probe();
  return died ?? (error instanceof TopoError ? error : null);
}

/** Number of deliveries without fences; on message buses, of messages that clients got. */
function messagesIn({ deliveries, dbus = [] }: Trace): number {
  let count = dbus.filter(({ kind }) => kind === 'got').length;
  for (const lane of deliveries.values()) for (const { fence } of lane) if (!fence) count++;
  return count;
}

const sendsIn = ({ sends, dbus = [] }: Trace): number =>
  sends.length + dbus.filter(({ kind }) => kind === 'sent').length;

function verdictOf({ plan, site, owner, options, trace, judgement, error }: Context): Verdict {
  const { progress, warnings } = options;
  const { name, file, clients, nodes, messageBuses } = plan.topology;
  const reason = error?.message ?? judgement?.reason;
  const account = judgement?.account ?? [];
  // A client that was started again is the same client of the file.
  const first = clients.filter(({ startedByStep }) => startedByStep !== true);
  const deliveries = trace ? messagesIn(trace) : 0;
  return {
    schemaVersion: 1,
    result: judgement?.result ?? 'error',
    topology: name,
    file,
    run: owner.run,
    seed: plan.seed,
    where: site.where,
    checks: judgement?.checks ?? [],
    counts: {
      sends: trace ? sendsIn(trace) : 0,
      deliveries,
      clients: first.length + (messageBuses?.clients.length ?? 0) + (messageBuses?.programs.length ?? 0),
      nodes: nodes.length,
    },
    timings: { ...progress.timings },
    ...(reason !== undefined && { reason }),
    ...(account.length > 0 && { account }),
    ...(warnings.length > 0 && { warnings }),
  };
}
