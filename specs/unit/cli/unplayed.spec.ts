// SPDX-License-Identifier: MIT
// What `run` tells of files that it cannot play, and of expectations that can never hold: in every format.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { cli, folder } from '../../helpers/cli.ts';

const INVALID = `buses: { cabin: {} }
clients: { camera: {}, lidar: {} }
traffic:
  - camera -> lidra: "x"
`;

const DOUBTFUL = `buses: { cabin: {} }
clients: { camera: {}, lidar: {}, logger: {} }
traffic:
  - camera -> lidar: "x"
    expect: { recipients: [logger] }
  - camera -> lidar: "y"
    expect: { error: EAGAIN }
  - expect: { client: lidar, hangup: true, within: 1ms }
`;

const FINE = `buses: { cabin: {} }
clients: { camera: {}, lidar: {} }
traffic:
  - camera -> lidar: "x"
`;

const FILES = { 'bad.topo.yaml': INVALID, 'fine.topo.yaml': FINE, 'doubtful.topo.yaml': DOUBTFUL };
const NAMES = ['bad.topo.yaml', 'fine.topo.yaml', 'none.topo.yaml'];

async function play(format: string, ...names: string[]) {
  using files = folder(FILES);
  return await cli(['run', '--backend', 'sim', '--seed', '1', '-q', '--format', format, ...names], {
    cwd: files.path('.'),
  });
}

describe('a file that is not played', function () {
  this.timeout(30_000);

  it('is an error of its own in JUnit', async () => {
    const { code, stdout } = await play('junit', ...NAMES);
    assert.equal(code, 2);
    assert.match(stdout, /<testsuite name="bad.topo.yaml" .*tests="1" failures="0" errors="1"/);
    assert.match(
      stdout,
      /<testcase name="bad.topo.yaml invalid" classname="bad.topo.yaml">\n *<error type="invalid"/,
    );
    assert.match(stdout, /bad.topo.yaml:4:15: unknown name &quot;lidra&quot;\n.*\nDid you mean/);
    assert.match(stdout, /<testsuite name="none.topo.yaml" /);
    assert.match(stdout, /message="there is no such file"/);
  });

  it('has a result in KTAP', async () => {
    const { stdout } = await play('ktap', ...NAMES);
    assert.match(stdout, /^KTAP version 1\n1\.\.3\n/);
    assert.match(stdout, /\nnot ok 1 bad.topo.yaml # ERROR line 4: unknown name "lidra"\n/);
    assert.match(stdout, /\nok 2 fine\n/);
    assert.match(stdout, /\nnot ok 3 none.topo.yaml # ERROR there is no such file\n/);
  });

  it('is annotated at its line, with the hint', async () => {
    const { stdout } = await play('github', ...NAMES);
    assert.match(
      stdout,
      /^::error file=bad.topo.yaml,line=4,col=15,endColumn=19::.*%0ADid you mean "lidar"\?$/m,
    );
    assert.match(stdout, /^::error file=none.topo.yaml::there is no such file/m);
    assert.match(stdout, /^ERROR bad.topo.yaml: line 4: unknown name "lidra"$/m);
  });

  it('has its diagnostics as data in JSON, as validate has them', async () => {
    const { stdout } = await play('json', ...NAMES);
    const [bad, fine] = JSON.parse(stdout);
    using files = folder(FILES);
    const validated = await cli(['validate', '--format', 'json', 'bad.topo.yaml'], { cwd: files.path('.') });
    assert.deepEqual(bad.diagnostics, JSON.parse(validated.stdout).diagnostics);
    assert.equal(bad.reason, 'line 4: unknown name "lidra"');
    assert.deepEqual([fine.result, fine.warnings], ['pass', undefined]);
  });

  it('is annotated with its hint by validate too', async () => {
    using files = folder(FILES);
    const { stdout } = await cli(['validate', '--format', 'github', 'bad.topo.yaml'], {
      cwd: files.path('.'),
    });
    assert.match(stdout, /%0ADid you mean "lidar"\?\n$/);
  });
});

describe('a variable that nothing uses', () => {
  it('is warned of when the file is played, as when it is validated', async () => {
    using files = folder(FILES);
    const args = ['--set', 'unused=1', 'fine.topo.yaml'];
    const warning = /^fine.topo.yaml: warning: nothing uses the variable unused that --set gives/m;
    assert.match((await cli(['validate', ...args], { cwd: files.path('.') })).stderr, warning);
    assert.match(
      (await cli(['run', '-q', '--backend', 'sim', ...args], { cwd: files.path('.') })).stderr,
      warning,
    );
  });
});

describe('an expectation that can never hold', function () {
  this.timeout(30_000);

  it('gets a warning before the file is played, with --quiet too', async () => {
    const { code, stdout, stderr } = await play('text', 'doubtful.topo.yaml');
    assert.equal(code, 1);
    assert.match(stderr, /^doubtful.topo.yaml:5:15: warning: "logger" gets no copy, only lidar/);
    assert.match(stderr, /:7:22: warning: EAGAIN cannot happen here/);
    assert.equal(stderr.match(/warning:/g)?.length, 3);
    const reasons = stdout.match(/the model expects otherwise: .*/g) ?? [];
    assert.equal(reasons.length, 4, stdout);
    assert.match(
      stdout,
      /EAGAIN\n.*\n {4}the model expects otherwise: EAGAIN cannot happen here: the send succeeds/,
    );
    assert.match(stdout, /the model expects otherwise: the socket of "lidar" does not hang up here/);
  });

  it('is among the warnings of the verdict, and of what programs read', async () => {
    const { stdout } = await play('json', 'doubtful.topo.yaml');
    const { warnings } = JSON.parse(stdout);
    assert.deepEqual(
      warnings.map(({ code, line }: { code: string; line: number }) => [code, line]),
      [5, 7, 8].map((line) => ['impossible', line]),
    );
    assert.match(
      (await play('github', 'doubtful.topo.yaml')).stdout,
      /^::warning file=doubtful.topo.yaml,line=5,/m,
    );
    assert.match(
      (await play('ktap', 'doubtful.topo.yaml')).stdout,
      /^# doubtful: warning: doubtful.topo.yaml:5:15: "logger" gets no/m,
    );
    assert.match(
      (await play('junit', 'doubtful.topo.yaml')).stdout,
      /<system-err>warning: doubtful.topo.yaml:5:15: /,
    );
    const log = JSON.parse((await play('sarif', 'doubtful.topo.yaml')).stdout);
    const levels = log.runs[0].results.map(({ level }: { level: string }) => level);
    assert.equal(levels.filter((level: string) => level === 'warning').length, 3);
  });
});
