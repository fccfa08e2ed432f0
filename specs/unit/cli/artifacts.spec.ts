// SPDX-License-Identifier: MIT
// Every file of a run's folder has a bound, and so have the runs that are kept.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { keepArtifacts, Room } from '../../../runner/cli/artifacts.ts';
import { prune } from '../../../runner/cli/kept-runs.ts';
import { logsIn } from '../../../runner/cli/stderr-logs.ts';
import { LIMITS } from '../../../runner/common/limits.ts';
import { load } from '../../../runner/load/index.ts';
import { plan } from '../../../runner/plan/index.ts';
import type { Verdict } from '../../../runner/verdict/verdict.ts';
import { cli, folder } from '../../helpers/cli.ts';

const FILE = 'buses: { b: {} }\nclients: { x: {}, y: {} }\ntraffic:\n  - x -> y: hi\n';

describe('the artifacts of a run', function () {
  this.timeout(60_000);

  it('leave out a file that would be too big, say so, and have the others', () => {
    using files = folder({});
    const { topology } = load('a.topo.yaml', { source: FILE });
    assert.ok(topology);
    const { most } = LIMITS.artifactBytes;
    const report = 'x'.repeat(most + 1);
    const verdict = { run: 'aa' } as Verdict;
    const what = { verdict, plan: plan(topology, { seed: 1 }), trace: null };
    const { tooBig } = keepArtifacts({ ...what, report }, files.path('out'));
    assert.deepEqual(tooBig, [`report.txt has more than ${most} bytes`]);
    assert.deepEqual(readdirSync(files.path('out')), ['verdict.json']);
    assert.deepEqual(keepArtifacts({ ...what, report: report.slice(1) }, files.path('out')).tooBig, []);
  });

  it('are bounded in all combinations together: what no longer fits is left out and told', () => {
    using files = folder({});
    const { topology } = load('a.topo.yaml', { source: FILE });
    assert.ok(topology);
    const what = { verdict: { run: 'aa' } as Verdict, plan: plan(topology, { seed: 1 }), trace: null };
    const room = new Room(100);
    const keep = (name: string) => keepArtifacts({ ...what, report: 'x'.repeat(60) }, files.path(name), room);
    assert.deepEqual(keep('first').tooBig, []);
    const left = 100 - 60 - readFileSync(files.path('first/verdict.json')).length;
    assert.ok(left > 0 && left < 60);
    const { tooBig } = keep('second');
    assert.ok(
      tooBig.some((why) => why.startsWith('report.txt has more than ')),
      `${tooBig}`,
    );
    assert.ok(!readdirSync(files.path('second')).includes('report.txt'));
  });

  it('have the newest of what processes wrote to stderr', () => {
    const logs = [
      { agent: 'a', text: 'oldest\n' },
      { agent: 'b', text: 'of b\n' },
      { agent: 'a', text: 'grün\n' },
    ];
    const all = { a: 'oldest\ngrün\n', b: 'of b\n' };
    assert.deepEqual(Object.fromEntries(logsIn(logs)), all);
    assert.deepEqual(Object.fromEntries(logsIn(logs, 13)), { a: 't\ngrün\n', b: 'of b\n' });
    assert.deepEqual(Object.fromEntries(logsIn(logs, 3)), { a: 'n\n' });
    assert.deepEqual(Object.fromEntries(logsIn(logs, 0)), {});
  });

  it('have no command for a CI service in them, though a process writes it in two halves', () => {
    const halves = [':', ':error::x\n#', '#[error]x\n'].map((text) => ({ agent: 'a', text }));
    assert.deepEqual(Object.fromEntries(logsIn(halves)), { a: ': :error::x\n## [error]x\n' });
  });

  it('stay short even if the file has a long line', async () => {
    const long = 'a'.repeat(200_000);
    const sends = Array.from(
      { length: 10 },
      (_, i) => `{ send: { from: x, to: y, payload: a${i} }, expect: { error: EPERM } }`,
    );
    const source = `buses: { b: {} }\nclients: { x: {}, y: {} }\ntraffic: [${sends.join(', ')}, { x -> y: ${long} }]\n`;
    using files = folder({ 'a.topo.yaml': source });
    const said = await cli(
      ['run', '-q', '--backend', 'sim', '--artifacts', 'out', files.path('a.topo.yaml')],
      {
        cwd: files.path(''),
      },
    );
    assert.equal(said.code, 1, said.stderr);
    const report = readFileSync(files.path('out/report.txt'), 'utf8');
    assert.match(report, /\d │ .*payload: a9/);
    for (const text of [report, said.stdout, said.stderr]) assert.ok(text.length < 20_000, `${text.length}`);
  });
});

describe('the runs that are kept', () => {
  const runs = (path: (name: string) => string, sizes: readonly number[]) => {
    for (const [n, size] of sizes.entries()) {
      mkdirSync(path(`run-${n}`));
      writeFileSync(path(`run-${n}/trace.jsonl`), Buffer.alloc(size));
      utimesSync(path(`run-${n}`), n, n);
    }
  };

  it('are the newest ones within the limit, and the last one in any case', () => {
    using files = folder({});
    runs(files.path, [10, 10, 10]);
    prune(files.path(''), 20);
    assert.deepEqual(readdirSync(files.path('')).sort(), ['run-1', 'run-2']);
    prune(files.path(''), 5);
    assert.deepEqual(readdirSync(files.path('')), ['run-2']);
  });

  it('are 20 at most', () => {
    using files = folder({});
    runs(files.path, Array(25).fill(1));
    prune(files.path(''));
    assert.equal(readdirSync(files.path('')).length, 20);
  });
});
