// SPDX-License-Identifier: MIT
// A file of several combinations on the command line, and what a file comes to.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Verdict } from '../../../runner/verdict/verdict.ts';
import { cli, folder } from '../../helpers/cli.ts';

const SOURCE = `matrix: { n: [1, 2, 3] }
buses: { cabin: { overflow: "\${POLICY:-block}" } }
clients: { camera: {}, tool: { replicas: "\${n}" } }
traffic:
  - camera -> cabin: "to \${n}"
`;

describe('a file with a matrix', function () {
  this.timeout(30_000);

  const run = async (...args: string[]) => {
    using files = folder({ 'scale.topo.yaml': SOURCE });
    const [verb = '', ...flags] = args;
    return await cli([verb, files.path('scale.topo.yaml'), ...flags], {
      env: { XDG_STATE_HOME: files.path('state') },
    });
  };

  it('has a verdict for each combination', async () => {
    const { code, stdout, stderr } = await run('run', '-q', '--backend', 'sim', '--format', 'json');
    assert.equal(code, 0, stderr);
    const verdicts = JSON.parse(stdout) as Verdict[];
    assert.deepEqual(
      verdicts.map(({ topology, result, counts }) => [topology, result, counts.clients]),
      [1, 2, 3].map((n) => [`scale.n=${n}`, 'pass', n + 1]),
    );
  });

  it('is counted by combinations', async () => {
    const { stdout } = await run('run', '-q', '--backend', 'sim');
    assert.match(stdout, /3 of 3 topologies passed/);
    assert.match((await run('validate')).stdout, /valid in 3 combinations/);
  });

  it('is pinned by --set', async () => {
    const { stdout } = await run('run', '-q', '--backend', 'sim', '--set', 'n=7', '--format', 'json');
    assert.equal((JSON.parse(stdout) as Verdict).topology, 'scale.n=7');
  });

  it('cannot be left up as a whole', async () => {
    const { code, stderr } = await run('up');
    assert.equal(code, 2);
    assert.match(stderr, /has 3 combinations, and one can be up at a time\n.*--set n=1/);
  });

  it('is written out with where each value comes from', async () => {
    const { code, stdout } = await run('config', '--explain', '--set', 'n=2', '--set', 'POLICY=fail');
    assert.equal(code, 0);
    assert.match(stdout, /overflow: fail # .*scale\.topo\.yaml:2:29, \$\{POLICY\} from --set/);
    assert.match(stdout, /replicas: 2 # .*:3:42, \$\{n\} from --set/);
    assert.equal((await run('config')).stdout.match(/^---$/gm)?.length, 3);
  });

  it('shows the mistakes of all combinations', async () => {
    const { code, stderr } = await run('validate', '--set', 'n=0', '--set', 'm=1');
    assert.equal(code, 2);
    assert.match(stderr, /\$\{n\} is "0" here, from --set/);
    assert.match(stderr, /nothing uses the variable m that --set gives/);
  });

  it('says what an assignment looks like', async () => {
    const { code, stderr } = await run('validate', '--set', 'n');
    assert.equal(code, 2);
    assert.match(stderr, /the environment has no n; write --set n=value/);
  });
});
