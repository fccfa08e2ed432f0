// SPDX-License-Identifier: MIT
/** What a stranger's file must never bring about, however it is played. */

import { lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { parseXml, XmlElement } from '@rgrove/parse-xml';
import { parseAllDocuments } from 'yaml';
import { EXIT } from '../../runner/common/errors.ts';
import { isBelow } from '../../runner/common/folder.ts';
import { inProject } from '../../runner/host/paths.ts';
import { assertHarmless } from '../helpers/harmless.ts';
import type { Said } from './captured.ts';
import type { Player } from './play.ts';
import { type Sandbox, SECRET, snapshot } from './sandbox.ts';
import { type Touched, watched } from './watch.ts';

export type Violation = string;

const PROJECT = realpathSync(inProject('.'));
const CODES: ReadonlySet<number> = new Set(Object.values(EXIT));
/** What the program reads for itself, whatever is played. */
const OWN_READS = ['/proc/sys/kernel/random/boot_id', '/etc/machine-id'];
/** Seconds of processor. What is played may take long; what is refused is refused soon, however often it is read. */
const MAX_SECONDS = { played: 60, refused: 2 };
const VERBS_OF_A_PLAY = 2;

/** Everything that is wrong with a play of the file on this sandbox. */
export async function violations(
  sandbox: Sandbox,
  player: Player,
  seed: number,
): Promise<readonly Violation[]> {
  const before = snapshot(sandbox);
  const from = process.cpuUsage();
  let said: readonly Said[] = [];
  const found: Violation[] = [];
  const { touched } = await watched(async () => {
    try {
      said = await player(sandbox, seed);
    } catch (error) {
      found.push(`it threw: ${(error as Error).stack}`);
    }
  });
  const { user, system } = process.cpuUsage(from);
  found.push(...inTime((user + system) / 1e6, said));
  if (snapshot(sandbox) !== before) found.push('it wrote outside of the folder of artifacts');
  found.push(...touched.flatMap((each) => outside(each, sandbox)));
  for (const each of [...said, ...artifactsIn(sandbox)]) found.push(...wrongIn(each));
  return found;
}

function inTime(seconds: number, said: readonly Said[]): readonly Violation[] {
  const refused = said.length > 0 && said.every(({ by, code }) => by !== 'run' || code === EXIT.invalid);
  const most = refused ? MAX_SECONDS.refused * VERBS_OF_A_PLAY : MAX_SECONDS.played;
  return seconds > most ? [`it took ${seconds.toFixed(1)} s of processor, and ${most} s at most`] : [];
}

function outside({ does, call, place }: Touched, { mine, out }: Sandbox): readonly Violation[] {
  if (isBelow(place, out) || (does === 'read' && OWN_READS.includes(place))) return [];
  if (does === 'read' && (isBelow(place, mine) || isBelow(place, PROJECT))) return [];
  return [`it ${does === 'read' ? 'read' : 'wrote'} ${place} (${call})`];
}

function wrongIn(said: Said): readonly Violation[] {
  const found: Violation[] = [];
  const check = (work: () => void) => {
    try {
      work();
    } catch (error) {
      found.push(`${said.by}: ${(error as Error).message.slice(0, 2000)}`);
    }
  };
  check(() => assertHarmless(said, said.format));
  check(() => SHAPES[said.format]?.(said.stdout));
  if (!CODES.has(said.code)) found.push(`${said.by}: the exit code ${said.code}`);
  if ((said.stdout + said.stderr).includes(SECRET)) found.push(`${said.by}: it shows what is secret`);
  return found;
}

/** A reader of the format can read it, and finds in it nothing that runs. */
const SHAPES: Readonly<Record<string, (text: string) => void>> = {
  json: (text) => void JSON.parse(text),
  jsonl: (text) => {
    if (!text.startsWith('{\n')) for (const line of text.split('\n').filter(Boolean)) JSON.parse(line);
  },
  sarif: (text) => void JSON.parse(text),
  junit: (text) => void parseXml(text),
  svg: (text) => (text === '' ? undefined : noScript(parseXml(text).root)),
  yaml: (text) => {
    for (const each of parseAllDocuments(text)) if ('errors' in each && each.errors[0]) throw each.errors[0];
  },
  mermaid: (text) => noLine(text, /^\s*(click|%%\{)|javascript:/m),
  dot: (text) => noLine(text, /\bURL\s*=/),
};

function noLine(text: string, pattern: RegExp): void {
  const outsideOfQuotes = text.replace(/^%%(?!\{).*$/gm, '').replace(/"(\\.|[^"\\])*"/g, '""');
  const found = pattern.exec(outsideOfQuotes);
  if (found) throw new Error(`it holds ${JSON.stringify(found[0])}`);
}

function noScript(element: XmlElement | null): void {
  if (!element) return;
  if (/^(script|foreignObject|a|image|use|iframe)$/i.test(element.name))
    throw new Error(`it has <${element.name}>`);
  for (const name of Object.keys(element.attributes))
    if (/^on|href$/i.test(name)) throw new Error(`it has the attribute ${name}`);
  for (const child of element.children) if (child instanceof XmlElement) noScript(child);
}

/** The files that a run has left, as outputs of their own. */
function artifactsIn({ out }: Sandbox): readonly Said[] {
  const said: Said[] = [];
  const look = (folder: string): void => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const found = lstatSync(path);
      if (found.isDirectory()) look(path);
      if (!found.isFile()) continue;
      const format = { 'verdict.json': 'json', 'trace.jsonl': 'jsonl' }[name] ?? 'artifact';
      said.push({
        by: `the artifact ${name}`,
        format,
        code: 0,
        stdout: readFileSync(path, 'utf8'),
        stderr: '',
      });
    }
  };
  look(out);
  return said;
}
