// SPDX-License-Identifier: MIT
// Each of several files keeps its evidence in a folder of its own, two of one name too.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { cli, folder } from '../../helpers/cli.ts';

const file = (name: string) =>
  `name: ${name}\nbuses: { b: {} }\nclients: { x: {}, y: {} }\ntraffic:\n  - x -> y: "one"\n`;

describe('artifacts of several files', function () {
  this.timeout(30_000);

  it('have a folder each', async () => {
    using files = folder({
      'x.topo.yaml': file('same'),
      'y.topo.yaml': file('same'),
      'z.topo.yaml': file('other'),
    });
    const names = ['x.topo.yaml', 'y.topo.yaml', 'z.topo.yaml'];
    const args = ['run', '-q', '--backend', 'sim', '--artifacts', 'out', ...names];
    const { code, stderr } = await cli(args, { cwd: files.path('.') });
    assert.equal(code, 0, stderr);
    const fileIn = (place: string) =>
      (JSON.parse(readFileSync(files.path(`out/${place}/verdict.json`), 'utf8')) as { file: string }).file;
    assert.deepEqual(['same', 'same-2', 'other'].map(fileIn), names);
  });

  it('have the whole folder if there is one', async () => {
    using files = folder({ 'x.topo.yaml': file('same') });
    const args = ['run', '-q', '--backend', 'sim', '--artifacts', 'out', 'x.topo.yaml'];
    assert.equal((await cli(args, { cwd: files.path('.') })).code, 0);
    assert.match(readFileSync(files.path('out/verdict.json'), 'utf8'), /"same"/);
  });
});
