// SPDX-License-Identifier: MIT
/** What a run leaves on disk, for readers who have to understand it later. */

import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidInput } from '../common/errors.ts';
import { makeFolder, ownFolder, replaceFile, replaceText, strangeLink, TooBig } from '../common/folder.ts';
import { LIMITS } from '../common/limits.ts';
import { folderName, neutralJson } from '../common/neutral.ts';
import type { Plan } from '../plan/plan.ts';
import { writeTrace } from '../trace/file.ts';
import type { Trace } from '../trace/trace.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { renderSequence } from '../write/sequence.ts';
import { home, prune } from './kept-runs.ts';
import { logsIn } from './stderr-logs.ts';

export interface Artifacts {
  readonly verdict: Verdict;
  readonly plan: Plan;
  readonly report: string;
  readonly trace: Trace | null;
}

/** Makes the folder that an option names, before anything is played. Throws InvalidInput. */
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

/** A link in a checkout may lead anywhere, and the files there would be overwritten. */
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

export interface Kept {
  readonly place: string;
  /** For each file that would have been too big: why it was not written. */
  readonly tooBig: readonly string[];
}

/** What the folders of one file may still have: a matrix has many. */
export class Room {
  #left: number;

  constructor(bytes: number = LIMITS.foldersBytes.most) {
    this.#left = bytes;
  }

  /** That many bytes, or what is left. */
  atMost(bytes: number): number {
    return Math.min(bytes, this.#left);
  }

  take(bytes: number): void {
    this.#left -= bytes;
  }
}

/** Writes into `directory`, or into a new folder among the kept runs. */
export function keepArtifacts(what: Artifacts, directory?: string, shared = new Room()): Kept {
  // Kept runs make room for each other: the oldest go.
  const room = directory === undefined ? new Room() : shared;
  const place = directory ?? join(home(), what.verdict.run);
  if (directory !== undefined) refuseLink('--artifacts', place);
  if (directory === undefined) ownFolder(home());
  makeFolder(place);
  const tooBig: string[] = [];
  for (const [name, write] of filesOf(what, room)) {
    const path = join(place, name);
    try {
      write(path);
      room.take(statSync(path).size);
    } catch (error) {
      if (!(error instanceof TooBig)) throw error;
      tooBig.push(error.message);
    }
  }
  if (directory === undefined) prune(home());
  return { place, tooBig };
}

type File = readonly [name: string, write: (path: string) => void];

/** One after the other: what each may have depends on those before it. */
function* filesOf({ verdict, report, plan, trace }: Artifacts, room: Room): Generator<File> {
  const text = (name: string, make: () => string): File => [
    name,
    (path) => writeText(path, name, make(), room.atMost(LIMITS.artifactBytes.most)),
  ];
  yield text('verdict.json', () => `${neutralJson(verdict, 2)}\n`);
  yield text('report.txt', () => report);
  if (!trace) return;
  const most = room.atMost(LIMITS.traceBytes.most);
  yield ['trace.jsonl', (path) => replaceFile(path, (fresh) => writeTrace(fresh, trace, most))];
  yield text('sequence.mmd', () => renderSequence(plan, trace));
  for (const [agent, log] of logsIn(trace.logs, room.atMost(LIMITS.logBytes.most)))
    yield [folderName(`${agent}.log`), (path) => replaceText(path, log)];
}

function writeText(path: string, name: string, made: string, most: number): void {
  if (Buffer.byteLength(made) > most) throw new TooBig(`${name} has more than ${most} bytes`);
  replaceText(path, made);
}
