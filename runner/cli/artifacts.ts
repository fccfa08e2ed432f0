// SPDX-License-Identifier: MIT
/** What a run leaves on disk, for a reader who has to understand it later. */

import { accessSync, constants, readdirSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { InvalidInput } from '../common/errors.ts';
import { makeFolder, ownFolder, replaceFile, replaceText, strangeLink } from '../common/folder.ts';
import { folderName, neutralJson, neutralLines } from '../common/neutral.ts';
import type { Plan } from '../plan/plan.ts';
import { writeTrace } from '../trace/file.ts';
import type { Trace } from '../trace/trace.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { renderSequence } from '../write/sequence.ts';

/** Runs kept in the default place. */
const MAX_RUNS = 20;

const home = () => join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local/state'), 'afbus-topo/runs');

export interface Artifacts {
  readonly verdict: Verdict;
  readonly plan: Plan;
  readonly report: string;
  readonly trace: Trace | null;
}

/** Makes the folder that an option names, before anything is played for it. Throws InvalidInput. */
export function folderOf(option: string, path: string): void {
  refuseLink(option, path);
  try {
    makeFolder(path);
    accessSync(path, constants.W_OK);
  } catch (cause) {
    const message = `${option} ${path} cannot be written: ${(cause as Error).message}`;
    throw new InvalidInput(message, 'name a folder that can be made and written', { cause });
  }
}

/** A link in a checkout may lead anywhere, and what lies there would be overwritten. */
function refuseLink(option: string, path: string): void {
  const link = strangeLink(path);
  if (link === undefined) return;
  throw new InvalidInput(
    `${option} ${path} leads through the symbolic link ${link}`,
    'name the folder that it leads to',
  );
}

/** The folder below `directory` for one of several that share it. */
export const folderBelow = (directory: string, name: string): string => join(directory, folderName(name));

/** Writes into `directory`, or a place of its own among the newest runs; returns where. */
export function keepArtifacts(what: Artifacts, directory?: string): string {
  const place = directory ?? join(home(), what.verdict.run);
  if (directory !== undefined) refuseLink('--artifacts', place);
  if (directory === undefined) ownFolder(home());
  makeFolder(place);
  replaceText(join(place, 'verdict.json'), `${neutralJson(what.verdict, 2)}\n`);
  replaceText(join(place, 'report.txt'), what.report);
  const { plan, trace } = what;
  if (trace) {
    replaceFile(join(place, 'trace.jsonl'), (fresh) => writeTrace(fresh, trace));
    replaceText(join(place, 'sequence.mmd'), renderSequence(plan, trace));
    for (const [agent, text] of logsIn(trace)) replaceText(join(place, folderName(`${agent}.log`)), text);
  }
  if (directory === undefined) prune(home());
  return place;
}

/** What each process wrote to stderr: of a message bus, the daemon's log. */
function logsIn({ logs = [] }: Trace): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { agent, text } of logs) texts.set(agent, (texts.get(agent) ?? '') + neutralLines(text));
  return texts;
}

function prune(runs: string): void {
  const byAge = readdirSync(runs)
    .map((name) => join(runs, name))
    // Another run may have taken it away meanwhile.
    .map((path) => ({ path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.at - a.at);
  for (const old of byAge.slice(MAX_RUNS)) rmSync(old.path, { recursive: true, force: true });
}
