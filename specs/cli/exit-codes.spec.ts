// SPDX-License-Identifier: MIT
// What needs no host: arguments, files, help.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { cli, folder } from '../helpers/cli.ts';

const VALID = `name: tiny
buses: { cabin: {} }
clients: { camera: {}, lidar: {} }
traffic:
  - camera -> lidar: "hi"
    expect: { recipients: [lidar] }
`;

describe('exit codes and streams', function () {
  this.timeout(30_000);

  it('help goes to stdout, names every verb and the exit codes, and is no error', async () => {
    const { code, stdout } = await cli(['--help']);
    assert.equal(code, 0);
    for (const verb of ['up', 'down', 'run', 'validate', 'ps', 'logs', 'exec', 'doctor', 'host', 'version']) {
      assert.match(stdout, new RegExp(`^  ${verb}\\b`, 'm'));
    }
    assert.match(stdout, /255 host died/);
  });

  it('an unknown verb is invalid input and gets a suggestion', async () => {
    const { code, stderr } = await cli(['validat']);
    assert.equal(code, 2);
    assert.match(stderr, /Did you mean validate/);
  });

  for (const flags of [
    ['--backend', 'podman'],
    ['--timeout', '5'],
    ['--seed', 'x'],
    ['--launcher', 'vm'],
    ['--kernel', '5.10'],
  ]) {
    it(`run ${flags.join(' ')} is invalid input and says what is allowed`, async () => {
      const { code, stderr, stdout } = await cli(['run', ...flags, 'any.topo.yaml']);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, new RegExp(flags[0] as string));
    });
  }

  it('a valid file is said to be valid on stdout', async () => {
    using files = folder({ 'tiny.topo.yaml': VALID });
    const { code, stdout, stderr } = await cli(['validate', files.path('tiny.topo.yaml')]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /tiny is valid: 1 bus, 2 clients, 1 step/);
  });

  it('an invalid file is 2 in validate and in run, with the same diagnostics on stderr', async () => {
    using files = folder({ 'bad.topo.yaml': VALID.replace('camera ->', 'kamera ->') });
    const results = await Promise.all(
      ['validate', 'run'].map((verb) => cli([verb, files.path('bad.topo.yaml')])),
    );
    for (const { code, stdout, stderr } of results) {
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, /bad\.topo\.yaml:5:5: error: .*kamera/);
      assert.match(stderr, /Did you mean "camera"/);
    }
  });

  it('several files: every diagnostic of every file, as JSON', async () => {
    using files = folder({ 'a.topo.yaml': 'buses: 3\n', 'b.topo.yaml': VALID, 'c.topo.yaml': '' });
    const { code, stdout } = await cli([
      'validate',
      '--format',
      'json',
      ...['a', 'b', 'c'].map((n) => files.path(`${n}.topo.yaml`)),
    ]);
    assert.equal(code, 2);
    const { files: count, diagnostics } = JSON.parse(stdout) as {
      files: number;
      diagnostics: { file: string }[];
    };
    assert.equal(count, 3);
    assert.deepEqual([...new Set(diagnostics.map((d) => d.file.at(-11)))], ['a', 'c']);
  });

  it('a file that is not there is one clear line', async () => {
    const { code, stderr } = await cli(['validate', '/nowhere/x.topo.yaml']);
    assert.equal(code, 2);
    assert.match(stderr, /\/nowhere\/x\.topo\.yaml/);
    assert.doesNotMatch(stderr, /at .*\.ts:/);
  });

  it('up without a file lists the candidates', async () => {
    using files = folder({ 'a.topo.yaml': VALID, 'b.topo.yaml': VALID });
    const { code, stderr } = await cli(['up'], { cwd: files.path('.') });
    assert.equal(code, 2);
    assert.match(stderr, /a\.topo\.yaml[\s\S]*b\.topo\.yaml[\s\S]*name one/);
  });

  it('nothing that is typed makes it print a stack trace', async () => {
    for (const args of [['exec'], ['logs', 'nothing'], ['down', 'nothing'], ['host', 'nonsense'], ['run']]) {
      const { stderr } = await cli(args);
      assert.doesNotMatch(stderr, /internal error|at .*\.[jt]s:/, args.join(' '));
    }
  });
});
