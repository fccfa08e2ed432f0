// SPDX-License-Identifier: MIT
/** The mutants in kernel/mutants/: each file says what is wrong, how it is expected to die, and how to make it. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { inProject } from '../../runner/host/paths.ts';

export interface Mutant {
  readonly name: string;
  readonly file: string;
  /** The fault, in one sentence. */
  readonly fault: string;
  /** Below topologies/, without its suffix: the one that is played first. */
  readonly topology: string;
  /** The check that kills it there. */
  readonly check: string;
  /** A self-test of the kernel that fails with it, if there is one. */
  readonly selfTest: string | undefined;
}

const FOLDER = inProject('kernel/mutants');

/** All of them, or those of these names. Throws where a name is none, or a file lacks what it must say. */
export function mutants(names: readonly string[] = []): Mutant[] {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.patch'));
  const known = files.map((name) => basename(name, '.patch'));
  const strange = names.find((name) => !known.includes(name));
  if (strange !== undefined) throw new Error(`kernel/mutants/ has no ${strange}.patch`);
  return known.filter((name) => names.length === 0 || names.includes(name)).map(read);
}

function read(name: string): Mutant {
  const file = join(FOLDER, `${name}.patch`);
  const [head = ''] = readFileSync(file, 'utf8').split(/^--- /m, 1);
  const said = (key: string) => new RegExp(`^${key}: (\\S+)$`, 'm').exec(head)?.[1];
  const must = (key: string): string => {
    const value = said(key);
    if (value === undefined) throw new Error(`${file} has no line "${key}: …" before its first hunk`);
    return value;
  };
  return {
    name,
    file,
    fault: head.split('\n\n', 1)[0]?.replaceAll('\n', ' ') ?? '',
    topology: must('topology'),
    check: must('check'),
    selfTest: said('self-test'),
  };
}
