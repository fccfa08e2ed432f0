// SPDX-License-Identifier: MIT
/** What a run leaves on disk for whoever has to understand it later. */

import { accessSync, constants, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { InvalidInput } from '../common/errors.ts';
import { makeFolder } from '../common/folder.ts';
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

/** Makes the folder that an option names, before anything is played for it. Throws InvalidInput. */
export function folderOf(option: string, path: string): void {
  try {
    makeFolder(path);
    accessSync(path, constants.W_OK);
  } catch (cause) {
    const message = `${option} ${path} cannot be written: ${(cause as Error).message}`;
    throw new InvalidInput(message, 'name a folder that can be made and written', { cause });
  }
}

/** Writes into `directory`, or a place of its own among the newest runs; returns where. */
export function keepArtifacts(what: Artifacts, directory?: string): string {
  const place = directory ?? join(home(), what.verdict.run);
  makeFolder(place);
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
    .map((name) => join(runs, name))
    // Another run may have taken it away meanwhile.
    .map((path) => ({ path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.at - a.at);
  for (const old of byAge.slice(KEPT)) rmSync(old.path, { recursive: true, force: true });
}
