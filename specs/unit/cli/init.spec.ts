// SPDX-License-Identifier: MIT
// A starter passes as it is, says what to do next, and never costs anybody a file.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describe, it } from 'mocha';
import { cli, folder, verdictOf } from '../../helpers/cli.ts';

describe('init', function () {
  this.timeout(30_000);

  it('writes a topology that is valid without a warning, and passes', async () => {
    using files = folder({});
    const cwd = files.path('.');
    const { code, stdout, stderr } = await cli(['init'], { cwd });
    assert.deepEqual([code, stdout], [0, 'my.topo.yaml\n']);
    assert.match(stderr, /afbus-topo run --backend sim my\.topo\.yaml/);
    const valid = await cli(['validate', 'my.topo.yaml'], { cwd });
    assert.deepEqual([valid.code, valid.stderr], [0, '']);
    const verdict = await verdictOf(['run', '--quiet', '--backend', 'sim', files.path('my.topo.yaml')]);
    assert.equal(verdict.result, 'pass', JSON.stringify(verdict.checks, null, 2));
  });

  it('leads editors to the schema', async () => {
    using files = folder({});
    await cli(['init', 'x'], { cwd: files.path('.') });
    const [, schema = ''] = /\$schema=(.+)/.exec(readFileSync(files.path('x.topo.yaml'), 'utf8')) ?? [];
    assert.ok(existsSync(resolve(dirname(files.path('x.topo.yaml')), schema)), schema);
  });

  it('calls the topology after its file', async () => {
    using files = folder({});
    await cli(['init', '7 Zwerge & Co.yaml'], { cwd: files.path('.') });
    assert.match(readFileSync(files.path('7 Zwerge & Co.topo.yaml'), 'utf8'), /^name: zwerge-co$/m);
  });

  it('overwrites nothing', async () => {
    using files = folder({ 'mine.topo.yaml': 'precious' });
    const { code, stdout, stderr } = await cli(['init', 'mine.topo.yaml'], { cwd: files.path('.') });
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /mine\.topo\.yaml is there already/);
    assert.equal(readFileSync(files.path('mine.topo.yaml'), 'utf8'), 'precious');
  });

  it('says what to do if the folder does not exist', async () => {
    using files = folder({});
    const { code, stderr } = await cli(['init', 'a/b.topo.yaml'], { cwd: files.path('.') });
    assert.equal(code, 2);
    assert.match(stderr, /mkdir -p a/);
  });
});
