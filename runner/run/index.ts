// SPDX-License-Identifier: MIT
/** Runs a plan in a lab: starts the agents, plays the steps, and records in a trace what everyone observed. */

import { crc32 } from 'node:zlib';
import type { Deadline } from '../common/deadline.ts';
import { AgentCrashed, RunTimeout, type TopoError } from '../common/errors.ts';
import type { Plan } from '../plan/plan.ts';
import type { Lab } from '../provision/lab.ts';
import { Collector } from '../trace/collect.ts';
import type { Trace } from '../trace/trace.ts';
import { Agents } from './agents.ts';
import { attachAll } from './attach.ts';
import { inWords, stopped, timedOut } from './broken.ts';
import type { RunContext } from './context.ts';
import { collectPipes, endAgents, leaveAgents, readLeftOvers, salvage } from './finish.ts';
import { MessageBuses } from './message-bus.ts';
import { Parties } from './parties.ts';
import { LastMessages, promptReports } from './progress.ts';
import { Walker } from './walk.ts';

export interface RunOptions {
  readonly signal?: AbortSignal;
  readonly deadline: Deadline;
  /** Called with a short text about what is in progress. */
  readonly progress?: (text: string) => void;
  /** Leave the agents running after the last step. */
  readonly keep?: boolean;
  /** Called with the unfinished trace if the run ends before its last step. */
  readonly onCut?: (trace: Trace) => void;
}

/**
 * Rejects with RunTimeout, Interrupted, AgentCrashed, EnvironmentError, or the error of the lab. In any case it leaves
 * the processes that it started, which the lab must remove.
 */
export async function run(plan: Plan, lab: Lab, options: RunOptions): Promise<Trace> {
  const collector = new Collector();
  const agents = new Agents(plan.agents, lab, collector);
  const context: RunContext = {
    plan,
    agents,
    collector,
    clock: lab.clock,
    parties: new Parties(plan.topology, agents),
    prompt: promptReports(plan),
    lastMessages: new LastMessages(plan),
    nonce: crc32(lab.run),
  };
  using _ = options.deadline.onEnd(options.signal, (why) => {
    const waits = agents.waits.list();
    agents.abort(why === 'timeout' ? timedOut(options.deadline, waits) : stopped(waits));
  });
  lab.broken.catch((error: TopoError) => agents.abort(error));
  try {
    // The race ends the play wherever it is: what it waits for may never come.
    await Promise.race([play(context, lab, options), agents.waits.over]);
    return collector.trace();
  } catch (error) {
    const failure = inWords(error);
    if (failure instanceof RunTimeout || failure instanceof AgentCrashed) await salvage(context, lab);
    collector.cut = (failure as Error).message;
    options.onCut?.(collector.trace());
    throw failure;
  }
}

async function play(context: RunContext, lab: Lab, { progress, keep }: RunOptions): Promise<void> {
  const { agents, plan } = context;
  const { nodes, steps } = plan.topology;
  [...lab.nodes.values()][0]?.tell({ do: 'watch-kernel' });
  progress?.(`starting ${plan.agents.length} processes`);
  await agents.spawn((node) => nodes.find((n) => n.name === node)?.env ?? {});
  await attachAll(context, progress ?? (() => {}));
  const messageBuses = new MessageBuses(context);
  await messageBuses.attach();
  const walker = new Walker(context, messageBuses);
  await walker.walk(steps, (step, i) =>
    progress?.(`step ${i + 1} of ${steps.length} (line ${step.place.line})`),
  );
  await walker.programs.end(keep === true);
  await readLeftOvers(context, walker.settler);
  await collectPipes(context);
  await (keep ? leaveAgents(context, lab) : endAgents(context, lab));
}
