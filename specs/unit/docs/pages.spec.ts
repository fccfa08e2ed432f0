// SPDX-License-Identifier: MIT
// What the pages say is what happens: their files are played, their commands run.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { after, describe, it } from 'mocha';
import { playDocument } from '../../helpers/document.ts';

const at = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

describe('documentation', function () {
  this.timeout(120_000);

  it('the tutorial is true, as far as it needs no kernel', () =>
    playDocument('docs/tutorial.md', { files: 'page' }));

  it('the cookbook is true', () => playDocument('docs/cookbook.md', { files: 'project' }));

  it('the cookbook of message buses is true', () =>
    playDocument('docs/cookbook-dbus.md', { files: 'project' }));

  for (const [page, folder] of [
    ['docs/cookbook.md', 'topologies/cookbook'],
    ['docs/cookbook-dbus.md', 'topologies/message-bus'],
  ] as const) {
    it(`${page} has every pattern of ${folder}`, () => {
      const text = readFileSync(at(page), 'utf8');
      for (const name of readdirSync(at(folder)))
        assert.ok(text.includes(`\`\`\`yaml ${folder}/${name}\n`), name);
    });
  }

  after(() => {
    if (process.env.UPDATE === '1') throw new Error('pages were rewritten: read the difference');
  });
});
