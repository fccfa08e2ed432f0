// SPDX-License-Identifier: MIT
// `run --repeat`: a seed, a verdict and a name for each play, and one failure among them is a failure.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'mocha';
import type { Verdict } from '../../../runner/verdict/verdict.ts';
import { cli, folder } from '../../helpers/cli.ts';

/** Whether anything is delivered depends on what comes first. */
const FILE = `buses: { car: {} }
clients: { a: {}, b: { join: false } }
traffic:
  - parallel:
      - send: { from: a, to: b }
        expect: model
      - fault: { join: b }
`;

const run = (file: string, ...more: string[]) =>
  cli(['run', '--quiet', '--backend', 'sim', '--seed', '1', ...more, file]);

describe('run --repeat', () => {
  it('plays seeds counted up, each with a name, a verdict and artifacts of its own', async () => {
    using files = folder({
      'once.topo.yaml': 'buses: { car: {} }\nclients: { a: {}, b: {} }\ntraffic: [{ a -> b: hi }]\n',
    });
    const artifacts = files.path('kept');
    const { code, stdout } = await run(
      files.path('once.topo.yaml'),
      '--repeat',
      '3',
      '--format',
      'jsonl',
      '--artifacts',
      artifacts,
    );
    const verdicts = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Verdict);
    assert.deepEqual(
      verdicts.map(({ topology, seed, result }) => [topology, seed, result]),
      [1, 2, 3].map((seed) => [`once.seed=${seed}`, seed, 'pass']),
    );
    assert.deepEqual(readdirSync(artifacts).toSorted(), ['once.seed=1', 'once.seed=2', 'once.seed=3']);
    assert.equal(code, 0);
  });

  it('prints a rate, and fails if one of many failed', async () => {
    using files = folder({ 'race.topo.yaml': FILE });
    const { code, stdout } = await run(files.path('race.topo.yaml'), '--repeat', '20');
    const [, passed = ''] = /^(\d+) of 20 runs passed \((\d|\.)+ %\)$/m.exec(stdout) ?? [];
    assert.ok(Number(passed) > 0 && Number(passed) < 20, stdout.slice(-500));
    assert.equal(stdout.match(/^ {2}skip {2}.* \(seed=\d+\)$/gm)?.length, 20 - Number(passed));
    assert.equal(code, 1);
  });

  it('is a whole number', async () => {
    const { code, stderr } = await run('x.topo.yaml', '--repeat', '0');
    assert.equal(code, 2);
    assert.match(stderr, /--repeat/);
  });
});
