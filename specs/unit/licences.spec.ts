// SPDX-License-Identifier: MIT
// Each file is under the licence of its place, says so if it can hold a comment, and the text of each licence is here.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FILES = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' })
  .trim()
  .split('\n')
  .filter((file) => lstatSync(join(ROOT, file), { throwIfNoEntry: false })?.isFile());

/** What cannot hold a comment, is compared byte by byte, or breaks on purpose: `.reuse/dep5` speaks for it. */
const SILENT = [
  /\.(json|md|svg|txt|hex|conf)$/,
  /^\.(gitignore|mocharc\.json|reuse\/dep5)$/,
  /\/broken\//,
  /^images\/scratch\/splats$/, // each line of it is a pattern for grep, which knows no comments
];

describe('licences', () => {
  for (const file of FILES) {
    if (file.startsWith('LICENSES/')) continue;
    const said = expressionsOf(file)[0];
    if (said === undefined) {
      if (!SILENT.some((silent) => silent.test(file)))
        it(`${file} has a line SPDX-License-Identifier`, () => assert.fail('it has none'));
      continue;
    }
    if (said !== licenceOf(file))
      it(`${file} is under ${licenceOf(file)}`, () => assert.equal(said, licenceOf(file)));
  }

  it('LICENSES has the text of each licence that is used, and no other', () => {
    const used = new Set(FILES.flatMap((file) => expressionsOf(file)).flatMap(identifiers));
    assert.deepEqual(readdirSync(join(ROOT, 'LICENSES')).sort(), [...used].map((id) => `${id}.txt`).sort());
  });

  it('.reuse/dep5 says the same of each place', () => {
    const dep5 = readFileSync(join(ROOT, '.reuse/dep5'), 'utf8');
    const stanzas = [...dep5.matchAll(/^Files: (.+)\nCopyright: .+\nLicense: (.+)$/gm)];
    assert.deepEqual(
      stanzas.map(([, files, licence]) => [files, licence]),
      [
        ['*', 'MIT'],
        ['kernel/*', 'GPL-2.0-only'],
        ['kernel/uapi/*', 'GPL-2.0-only WITH Linux-syscall-note'],
      ],
    );
  });
});

/** The expression that a file of this place must carry. */
function licenceOf(file: string): string {
  if (file.startsWith('kernel/uapi/')) return 'GPL-2.0-only WITH Linux-syscall-note';
  return file.startsWith('kernel/') ? 'GPL-2.0-only' : 'MIT';
}

function expressionsOf(file: string): readonly string[] {
  const head = readFileSync(join(ROOT, file), 'utf8').slice(0, 400);
  // REUSE-IgnoreStart
  const line = /^(?:[^\w\n]*|\.\\" )SPDX-License-Identifier: ([^\n]+?)(?: ?(?:\*\/|-->))?$/m.exec(head);
  // REUSE-IgnoreEnd
  return line?.[1] === undefined ? [] : [line[1]];
}

const identifiers = (expression: string): readonly string[] => expression.split(' WITH ');
