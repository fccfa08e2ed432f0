// SPDX-License-Identifier: MIT
/** What a run leaves on disk for whoever has to understand it later. */

import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Plan } from '../plan/plan.ts';
import { writeTrace } from '../trace/file.ts';
import type { Trace } from '../trace/trace.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { renderSequence } from '../write/sequence.ts';

/** Runs kept in the default place. */
const KEPT = 20;

const home = () => join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local/state'), 'afbus-topo/runs');

export interface Artifacts {
  readonly verdict: Verdict;
  readonly plan: Plan;
  readonly report: string;
  readonly trace: Trace | null;
}

/** Writes into `directory`, or a place of its own among the newest runs; returns where. */
export function keepArtifacts(what: Artifacts, directory?: string): string {
  const place = directory ?? join(home(), what.verdict.run);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'verdict.json'), `${JSON.stringify(what.verdict, null, 2)}\n`);
  writeFileSync(join(place, 'report.txt'), what.report);
  if (what.trace) {
    writeTrace(join(place, 'trace.jsonl'), what.trace);
    writeFileSync(join(place, 'sequence.mmd'), renderSequence(what.plan, what.trace));
  }
  if (directory === undefined) prune(home());
  return place;
}

function prune(runs: string): void {
  const byAge = readdirSync(runs)
    .map((name) => ({ path: join(runs, name), at: statSync(join(runs, name)).mtimeMs }))
    .sort((a, b) => b.at - a.at);
  for (const old of byAge.slice(KEPT)) rmSync(old.path, { recursive: true, force: true });
}
