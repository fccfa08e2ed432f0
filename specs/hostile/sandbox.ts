// SPDX-License-Identifier: MIT
/** The folders of a drawing on disk, and what changed in them. */

import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Drawn, Entry } from './draw.ts';

/** What nothing may show: the file outside of the stranger's folder, and a variable, hold it. */
export const SECRET = 'hunter2';

export interface Sandbox extends Disposable {
  readonly root: string;
  /** The stranger's folder, and the file in it. */
  readonly mine: string;
  readonly file: string;
  /** The folder of artifacts. */
  readonly out: string;
}

/** A sandbox for many drawings, one after another: `set` clears it. */
export function makeSandbox(): Sandbox & { set: (drawn: Drawn) => Sandbox } {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'afbus-hostile-')));
  const [mine, out] = [join(root, 'mine'), join(root, 'out')];
  const sandbox = {
    root,
    mine,
    out,
    file: '',
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
  const set = (drawn: Drawn): Sandbox => {
    for (const each of readdirSync(root)) rmSync(join(root, each), { recursive: true, force: true });
    writeFileSync(join(root, 'secret'), `${SECRET}: [${SECRET}\n`);
    for (const folder of [mine, out]) mkdirSync(folder);
    for (const entry of drawn.entries) make(mine, entry);
    for (const entry of drawn.left) make(out, entry);
    return { ...sandbox, file: join(mine, drawn.main) };
  };
  return { ...sandbox, set };
}

function make(folder: string, entry: Entry): void {
  const path = join(folder, entry.path);
  mkdirSync(dirname(path), { recursive: true });
  if ('text' in entry) writeFileSync(path, entry.text);
  else if ('link' in entry) symlinkSync(entry.link, path);
  else execFileSync('mkfifo', [path]);
}

/** All below the root but the artifacts: what is there, and what is in it. */
export function snapshot({ root, out }: Sandbox): string {
  const lines: string[] = [];
  const look = (path: string): void => {
    const found = lstatSync(path);
    const kind = found.isDirectory()
      ? 'folder'
      : found.isSymbolicLink()
        ? readlinkSync(path)
        : found.isFile()
          ? readFileSync(path, 'latin1')
          : 'other';
    lines.push(`${path} ${found.ino} ${found.mode} ${kind}`);
    if (found.isDirectory() && path !== out) for (const name of readdirSync(path)) look(join(path, name));
  };
  look(root);
  return lines.join('\n');
}
