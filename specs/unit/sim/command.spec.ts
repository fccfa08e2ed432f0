// SPDX-License-Identifier: MIT
// The simulated bus as users meet it: first line, exit codes, what is refused.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { cli, folder } from '../../helpers/cli.ts';

const QUICKSTART = new URL('../../../topologies/quickstart.topo.yaml', import.meta.url).pathname;
const SIM = ['--backend', 'sim', '--quiet', '--seed', '7'];

describe('the command on sim', function () {
  this.timeout(30_000);

  it('says where it ran before anything else', async () => {
    const { code, stdout } = await cli(['run', ...SIM, QUICKSTART]);
    assert.equal(code, 0);
    assert.equal(stdout.split('\n')[0], 'sim · the reference model in this process, no kernel', stdout);
    assert.match(stdout, /PASS \(simulated\) {2}quickstart/);
  });

  it('fails with a planted fault, and says so', async () => {
    const { code, stdout } = await cli(['run', ...SIM, '--sim-bug', 'truncate=2', QUICKSTART]);
    assert.equal(code, 1);
    assert.match(stdout, /^sim .* broken on purpose: truncate=2\n/);
    assert.match(
      stdout,
      /✗ integrity {2}\S+ got \S+ with another length\n {2}.*quickstart\.topo\.yaml:\d+:\d+/,
    );
  });

  it('does not pass a run that delivers nothing', async () => {
    const source =
      'buses: { b: {} }\ngroups: { g: { prefix: 1 } }\nclients: { c: {} }\ntraffic: [c -> g: "x"]\n';
    using files = folder({
      'unsaid.topo.yaml': source,
      'model.topo.yaml': source.replace('[c -> g: "x"]', '[{ c -> g: "x", expect: model }]'),
    });
    const unsaid = await cli(['run', ...SIM, files.path('unsaid.topo.yaml')]);
    assert.deepEqual([unsaid.code, unsaid.stdout], [2, '']);
    const model = await cli(['run', ...SIM, files.path('model.topo.yaml')]);
    assert.equal(model.code, 1);
    assert.match(
      model.stdout,
      /SKIP {2}model: no message was delivered, and \S+model\.topo\.yaml:4 does not say/,
    );
  });

  it('takes a warning for an error if it is told to be strict', async () => {
    using files = folder({
      'odd.topo.yaml':
        'buses: { b: {} }\ngroups: { g: { prefix: 1 } }\nclients: { c: {}, d: {} }\ntraffic: [c -> d: "x"]\n',
    });
    const odd = files.path('odd.topo.yaml');
    const plain = await cli(['run', ...SIM, odd]);
    assert.deepEqual([plain.code, /PASS \(simulated\) {2}odd: .*, 1 warning;/.test(plain.stdout)], [0, true]);
    assert.match(plain.stdout, / ! \S+odd\.topo\.yaml:2:11: nobody is in group "g"/);
    const strict = await cli(['run', '--strict', ...SIM, odd]);
    assert.deepEqual([strict.code, strict.stdout], [2, '']);
    assert.match(strict.stderr, /odd\.topo\.yaml:2:11: error: nobody is in group "g"/);
    assert.equal((await cli(['validate', '--strict', odd])).code, 2);
    assert.equal((await cli(['validate', odd])).code, 0);
  });

  it('lists the bugs of the simulated bus if a name is unknown', async () => {
    const { code, stderr } = await cli(['run', ...SIM, '--sim-bug', 'gremlins', QUICKSTART]);
    assert.equal(code, 2);
    assert.match(stderr, /lose: .*\n(.*\n)+.*warn: .*\n(.*\n)*.*has no bug "gremlins"/);
  });

  it('refuses to leave a topology up', async () => {
    const { code, stderr } = await cli(['up', ...SIM, QUICKSTART]);
    assert.equal(code, 2);
    assert.match(stderr, /nothing to leave up\nhint: .*run --backend sim/);
    assert.equal((await cli(['up', '--rm', ...SIM, QUICKSTART])).code, 0);
  });

  it('fuzzes, and prints seed, runs and backend', async () => {
    const { code, stdout } = await cli(['fuzz', '--seed', '1003', '--runs', '3', '--quiet']);
    assert.match(stdout, /^nothing went wrong: seed 1003, 3 runs, \d+ messages on sim\n$/);
    assert.equal(code, 0);
  });

  it('refuses options with which it cannot fuzz', async () => {
    for (const wrong of [
      ['--runs', '0'],
      ['--seed', 'x'],
      ['--backend', 'docker'],
    ]) {
      assert.equal((await cli(['fuzz', ...wrong])).code, 2, wrong.join(' '));
    }
  });

  it('writes verdict and trace as other backends do', async () => {
    using kept = folder({});
    await cli(['run', ...SIM, '--artifacts', kept.path('all'), QUICKSTART]);
    const verdict = JSON.parse(readFileSync(kept.path('all/verdict.json'), 'utf8')) as { where: object };
    assert.deepEqual(verdict.where, { backend: 'sim', launcher: 'process', kernel: 'none', seed: 7 });
    assert.match(readFileSync(kept.path('all/trace.jsonl'), 'utf8'), /^\{"afbusTrace":2,/);
  });

  it('shows the verdict even if no file can be written', async () => {
    for (const [sort, code] of [
      [[], 0],
      [['--sim-bug', 'lose'], 1],
    ] as const) {
      const told = await cli(['run', ...SIM, ...sort, QUICKSTART], { env: { XDG_STATE_HOME: '/proc/none' } });
      assert.equal(told.code, code);
      assert.match(told.stdout, /^(PASS|FAIL) /m);
      assert.match(told.stderr, /^warning: the artifacts of this run are not kept: ENOENT.*\n$/);
    }
  });

  it('does not play if the folder of artifacts cannot be made', async () => {
    using files = folder({ taken: '' });
    for (const place of ['/proc/none/artifacts', files.path('taken'), files.path('taken/below')]) {
      const { code, stdout, stderr } = await cli(['run', ...SIM, '--artifacts', place, QUICKSTART]);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, /^error: --artifacts \S+ cannot be written: .*\nhint: .*\n$/);
    }
    const fuzzed = await cli(['fuzz', '--runs', '1', '--out', '/proc/none']);
    assert.equal(fuzzed.code, 2);
    assert.match(fuzzed.stderr, /^error: --out /);
  });
});
