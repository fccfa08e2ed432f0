// SPDX-License-Identifier: MIT
// What all verbs have: help with an example, stdin for a file, JSON for programs.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';
import { cli } from '../../helpers/cli.ts';

const COMMAND = fileURLToPath(new URL('../../../bin/afbus-topo', import.meta.url));
const FILE = fileURLToPath(new URL('../../../topologies/quickstart.topo.yaml', import.meta.url));

function withStdin(input: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(COMMAND, args, {
    input,
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

/** The verbs that a help lists. */
const verbsIn = (help: string): string[] => {
  const [, list = ''] = help.split(/^Commands:\n/m);
  return [...list.matchAll(/^ {2}([a-z]+) /gm)].map(([, verb]) => verb as string);
};

describe('help', function () {
  this.timeout(60_000);

  it('of every verb has an example and the exit codes', async () => {
    const verbs = verbsIn((await cli(['--help'])).stdout);
    const ofHost = verbsIn((await cli(['host', '--help'])).stdout).map((verb) => `host ${verb}`);
    assert.ok(verbs.length > 15 && ofHost.length === 7, `${verbs} ${ofHost}`);
    const helps = await Promise.all([...verbs, ...ofHost].map((path) => cli(['help', ...path.split(' ')])));
    for (const { code, stdout } of helps) {
      assert.equal(code, 0);
      assert.match(stdout, /\nExamples?:/);
      for (const each of [
        / 0 \S/,
        / 2 \S/,
        / 4 \S/,
        /129 interrupted by SIGHUP$/,
        /130 interrupted by SIGINT or SIGTERM$/,
      ])
        assert.match(stdout, new RegExp(`\\nExit codes:\\n(.+\\n)*? *${each.source}`, 'm'));
    }
  });

  it('of a verb that there is not is an error that suggests one', async () => {
    const { code, stdout, stderr } = await cli(['help', 'vaildate']);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /no verb "vaildate"\nhint: Did you mean "validate"\?/);
    assert.match((await cli(['help', 'host', 'strat'])).stderr, /Did you mean "start"\?/);
    assert.match((await cli(['help', 'bogus'])).stderr, /verbs are up, run, down, /);
  });
});

describe('stdin', () => {
  it('is waited for, as long as its program has not written all of it', async () => {
    const child = spawn(COMMAND, ['validate', FILE, '-'], { stdio: 'pipe' });
    const [said, errors] = [text(child.stdout), text(child.stderr)];
    // The command asks for it when it has told of the file before.
    child.stdout.once('data', () => child.stdin.write('buses: { cabin'));
    child.stdout.once('data', () => setImmediate(() => child.stdin.end(': {} }\n')));
    assert.equal(await errors, '');
    assert.match(await said, /\n<stdin>: stdin is valid: 1 bus, 0 clients, 0 steps\n$/);
  });

  it('is a file called -', () => {
    const valid = withStdin('buses: { cabin: {} }\n', 'validate', '-');
    assert.deepEqual([valid.code, valid.stdout], [0, '<stdin>: stdin is valid: 1 bus, 0 clients, 0 steps\n']);
    const wrong = withStdin('busses: { cabin: {} }\n', 'validate', '-');
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /^<stdin>:1:1: error: unknown key "busses"\n {4}1 \| busses: /);
    assert.match(withStdin('buses: { cabin: {} }\n', 'graph', '-').stdout, /cabin/);
    const source = 'buses: { cabin: {} }\nclients: { a: {} }\ntraffic:\n  - a -> cabin: "x"\n';
    const played = withStdin(source, 'run', '--backend', 'sim', '--format', 'json', '-');
    assert.equal(played.code, 0, played.stderr);
    assert.match(played.stdout, /"file": ?"<stdin>"/);
  });
});

describe('JSON', function () {
  this.timeout(30_000);

  it('comes from version, config and fuzz, too', async () => {
    const version = JSON.parse((await cli(['version', '--format', 'json'])).stdout);
    assert.deepEqual([version.schemaVersion, version.kernels], [1, ['6.1', '6.12']]);
    const config = withStdin('buses: { cabin: {} }\n', 'config', '--format', 'json', '-');
    assert.deepEqual(Object.keys(JSON.parse(config.stdout).buses), ['cabin']);
    const fuzz = await cli(['fuzz', '--seed', '1003', '--runs', '2', '--quiet', '--format', 'json']);
    const { result, seed, runs, findings } = JSON.parse(fuzz.stdout);
    assert.deepEqual({ result, seed, runs, findings }, { result: 'pass', seed: 1003, runs: 2, findings: 0 });
  });
});
