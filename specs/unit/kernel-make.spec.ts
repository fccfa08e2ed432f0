// SPDX-License-Identifier: MIT
// What kernel/'s makefiles may touch.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';

const KERNEL = join(import.meta.dirname, '../../kernel');
const FOLDERS = ['.', 'tests', 'bench', 'fuzz', 'fuzz/dbus', 'proof'];

describe('make clean in a path with a space', () => {
  let root: string;

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'clean.'));
    cpSync(KERNEL, join(root, 'my project/kernel'), { recursive: true });
  });
  after(() => rmSync(root, { recursive: true }));

  for (const folder of FOLDERS)
    it(`of ${folder} removes what was built there, and nothing else`, () => {
      const neighbour = join(root, 'my');
      const built = join(root, 'my project/build');
      mkdirSync(neighbour, { recursive: true });
      writeFileSync(join(neighbour, 'thesis.txt'), 'precious');
      for (const each of ['kernel', 'kernel-tests', 'kernel-bench', 'kernel-fuzz/dbus', 'kernel-proof'])
        mkdirSync(join(built, each), { recursive: true });

      execFileSync('make', ['-s', '-C', join(root, 'my project/kernel', folder), 'clean']);

      assert.ok(existsSync(join(neighbour, 'thesis.txt')));
      const name = folder === '.' ? 'kernel' : `kernel-${folder}`;
      assert.ok(!existsSync(join(built, name)));
    });
});
