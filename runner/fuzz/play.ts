// SPDX-License-Identifier: MIT
/** Plays a scenario on a site: what was observed, and what the checks say. */

import { Deadline } from '../common/deadline.ts';
import type { TopoError } from '../common/errors.ts';
import { SILENT } from '../common/progress.ts';
import { load } from '../load/index.ts';
import { play } from '../pipeline.ts';
import { type Plan, plan } from '../plan/index.ts';
import type { Site } from '../provision/site.ts';
import type { Trace } from '../trace/trace.ts';
import type { CheckResult } from '../verdict/verdict.ts';
import { makesSense } from './generate.ts';
import { type Scenario, textOf } from './scenario.ts';

export interface Seen {
  /** null if the run could not end. */
  readonly trace: Trace | null;
  /** Checks that failed. */
  readonly failed: readonly CheckResult[];
  /** Why the run did not end. */
  readonly error: TopoError | null;
}

/** Long enough for a slow machine; a run that takes longer waits for something that will not come. */
const TIMEOUT_MS = 300_000;

/** The plan of a scenario; undefined if it makes no sense, or has no plan with the sizes of this seed. */
export function planOf(scenario: Scenario, seed: number): Plan | undefined {
  if (!makesSense(scenario)) return undefined;
  const { topology } = load(`${scenario.name}.topo.yaml`, { source: textOf(scenario) });
  const planned = topology && plan(topology, { seed });
  return planned?.prediction.findings.some(({ kind }) => kind !== 'impossible') ? undefined : planned;
}

/** Plays it and takes it down. Rejects if the site itself broke. */
export async function playOn(site: Site, planned: Plan, signal: AbortSignal): Promise<Seen> {
  const options = { deadline: new Deadline(TIMEOUT_MS), keep: false, signal, progress: SILENT, warnings: [] };
  const { verdict, trace, error } = await play(planned, site, options);
  if (error && (signal.aborted || (await site.probe()))) throw error;
  return { trace, failed: verdict.checks.filter((c) => c.result === 'fail'), error };
}
