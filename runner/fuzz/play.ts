// SPDX-License-Identifier: MIT
/** One scenario on one site: what was seen, and what the checks say of it. */

import { Deadline } from '../common/deadline.ts';
import { TopoError } from '../common/errors.ts';
import { load } from '../load/index.ts';
import { datagramsOf, type Plan, plan } from '../plan/index.ts';
import { predict } from '../predict/index.ts';
import { newRun, ownership } from '../provision/labels.ts';
import type { Site } from '../provision/site.ts';
import { run } from '../run/index.ts';
import type { Trace } from '../trace/trace.ts';
import { judge } from '../verdict/index.ts';
import type { CheckResult } from '../verdict/verdict.ts';
import { makesSense } from './generate.ts';
import { type Scenario, textOf } from './scenario.ts';

export interface Seen {
  /** null where the run could not end. */
  readonly trace: Trace | null;
  /** Checks that failed. */
  readonly failed: readonly CheckResult[];
  /** Why the run did not end. */
  readonly error: TopoError | null;
}

/** Long enough for a slow machine; a run that gets this far waits for something that will not come. */
const TIMEOUT_MS = 300_000;

/** The plan of a scenario; undefined where it makes no sense, or none with the sizes that this seed draws. */
export function planOf(scenario: Scenario, seed: number): Plan | undefined {
  if (!makesSense(scenario)) return undefined;
  const { topology } = load(`${scenario.name}.topo.yaml`, { source: textOf(scenario) });
  const planned = topology && plan(topology, { seed });
  const doubts = planned ? predict(topology, datagramsOf(planned)).doubts : [];
  return doubts.some(({ kind }) => kind === 'chancy') ? undefined : planned;
}

/** Plays it and takes it down. Rejects where the site itself broke. */
export async function playOn(site: Site, planned: Plan, signal: AbortSignal): Promise<Seen> {
  const owner = ownership(newRun(), planned.topology.name, planned.topology.file, false);
  let cut: Trace | null = null;
  try {
    const deadline = new Deadline(TIMEOUT_MS, site.clock);
    const lab = await deadline.race('the nodes to start', signal, () => site.start(planned, owner, () => {}));
    const trace = await run(planned, lab, { signal, deadline, onCut: (c) => (cut = c) });
    for (const node of lab.nodes.values()) node.release();
    const { checks } = judge(planned, trace);
    return { trace, failed: checks.filter((c) => c.result === 'fail'), error: null };
  } catch (error) {
    if (!(error instanceof TopoError) || signal.aborted || (await site.probe())) throw error;
    return { trace: cut, failed: [], error };
  } finally {
    await site.remove({ run: owner.run, launcher: site.where.launcher });
  }
}
