// SPDX-License-Identifier: MIT
// Every way to get a file wrong that we know of, with the exact text it is answered with.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { after, describe, it } from 'mocha';
import { load, renderDiagnostics } from '../../../runner/load/index.ts';
import { readBelow } from '../../../runner/load/yaml/read.ts';

const FOLDER = fileURLToPath(new URL('./broken/', import.meta.url));
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.topo.yaml'));
const UPDATE = process.env.UPDATE === '1';

function said(file: string): string {
  const source = readFileSync(FOLDER + file, 'utf8');
  const given = Object.entries({ HOME: '/root', SIZE: '12', EMPTY: '' });
  const { diagnostics, sources } = load(file, {
    source,
    set: Object.fromEntries(given.filter(([name]) => new RegExp(`\\$\\{${name}\\b`).test(source))),
    read: (name) => readBelow(FOLDER)(FOLDER + name),
  });
  return renderDiagnostics(diagnostics, sources);
}

describe('a broken file', () => {
  for (const file of files) {
    it(`${file.replace('.topo.yaml', '')} is answered in our words`, () => {
      const expected = FOLDER + file.replace('.topo.yaml', '.expected.txt');
      if (UPDATE) writeFileSync(expected, said(file));
      assert.ok(existsSync(expected), `${expected} is missing: run with UPDATE=1 and read what it says`);
      assert.equal(said(file), readFileSync(expected, 'utf8'));
    });
  }

  it('always gets a diagnostic, in our own words', () => {
    for (const file of files) {
      const text = said(file);
      assert.notEqual(text, '', `${file} is not broken`);
      assert.doesNotMatch(
        text,
        /zod|invalid_|Invalid input|undefined|\[object|NaN|Expected .*received/,
        file,
      );
    }
  });

  it('exists in many kinds', () => assert.ok(files.length >= 100));

  after(() => {
    if (UPDATE) throw new Error('expectations were rewritten: read the difference, then run without UPDATE');
  });
});
