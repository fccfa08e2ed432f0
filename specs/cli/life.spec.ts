// SPDX-License-Identifier: MIT
// up, ps, exec, logs, down; two runs at once; interrupts, crashes and killed runners leave nothing behind.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { after, describe, it } from 'mocha';
import { runningBackends } from '../../runner/provision/choose.ts';
import type { RunNode } from '../../runner/provision/runs.ts';
import { type CliOptions, cli, folder, verdictOf } from '../helpers/cli.ts';

const chat = (name: string, traffic: string) => `name: ${name}
nodes: { here: {}, there: {} }
buses: { cabin: { path: "@${name}", master: { node: here } } }
clients:
  camera: { node: here }
  lidar: { node: there }
traffic:
${traffic}`;

const HELLO = `  - camera -> lidar: "hi"
    expect: { recipients: [lidar] }
`;
/** Takes far longer than anybody waits; a step that could never end would be refused before it starts. */
const ENDLESS = `  - send: { from: camera, to: lidar, count: 9000, rate: 5/s }
    expect: { recipients: [lidar] }
`;

const AFBUS = fileURLToPath(new URL('../../bin/afbus-topo', import.meta.url));

interface Ps {
  readonly runs: readonly { topology: string; nodes: readonly RunNode[] }[];
}
const up = async (): Promise<Ps['runs']> =>
  (JSON.parse((await cli(['ps', '--format', 'json'])).stdout) as Ps).runs;
const named = async (name: string) => (await up()).filter((r) => r.topology === name);

/** A command in the node "here". */
const exec = (name: string, script: string, options?: CliOptions) =>
  cli(['exec', name, 'here', 'sh', '-c', script], options);

async function passesStreamsAndStatus(name: string): Promise<void> {
  const { code, stdout, stderr } = await exec(name, 'tr a-z A-Z; echo no >&2; exit 7', { input: 'one\ntwo' });
  assert.deepEqual([code, stdout, stderr], [7, 'ONE\nTWO', 'no\n']);
}

async function endsWithWhoAskedForIt(name: string): Promise<void> {
  const { code, stdout } = await exec(
    name,
    'trap "echo bye; exit" INT; echo up >&2; sleep 1000; sleep 1000',
    {
      onStderr: (child) => void child.kill('SIGINT'),
    },
  );
  assert.deepEqual([code, stdout], [130, 'bye\n']);
  const onTerminal =
    'test -t 0 && test -t 1 && read -r line; echo "<$line>"; grep -lx sleep /proc/[0-9]*/comm';
  const shown = await cli(['exec', '-t', name, 'here', 'sh', '-c', onTerminal], { input: 'typed\n' });
  assert.deepEqual([shown.code, shown.stdout.replaceAll('\r', '')], [1, 'typed\n<typed>\n']);
}

/** The parent of the orphan ends at once. A zombie would have an entry in /proc as long as its node runs. */
async function leavesNoZombies(name: string): Promise<void> {
  const orphan = '$( (sleep 0.1 >/dev/null & echo $!) )';
  const gone = 'n=0; while [ -e /proc/$p ]; do [ $((n += 1)) -lt 200 ] || exit 1; sleep 0.1; done';
  const { code, stderr } = await exec(name, `p=${orphan}; ${gone}`);
  assert.equal(code, 0, stderr || 'what lost its parent stays as a zombie');
}

/** Removes its containers as the docker command does, which knows nothing of runs. */
async function staysWithoutContainers(name: string): Promise<void> {
  const [run] = await named(name);
  for (const { docker, release } of await runningBackends()) {
    await Promise.all((run?.nodes ?? []).map(({ id }) => docker.getContainer(id).remove({ force: true })));
    release();
  }
  const [left] = await named(name);
  assert.deepEqual(left?.nodes.map((n) => `${n.name} ${n.state}`).sort(), ['here missing', 'there missing']);
  const { stdout } = await cli(['doctor']);
  assert.match(stdout, new RegExp(`${name} .*not running: here missing, there missing`));
}

describe('the life of a topology', function () {
  this.timeout(600_000);
  after(() => cli(['down', 'kept', 'kept-process', 'same']));

  for (const [name, launcher] of [
    ['kept', 'container'],
    ['kept-process', 'process'],
  ] as const) {
    it(`up in ${launcher} nodes leaves it running; ps, exec and down see it; a second up is refused`, async () => {
      using files = folder({ 'it.topo.yaml': chat(name, HELLO) });
      const args = ['up', '--launcher', launcher, files.path('it.topo.yaml')];
      const first = await cli(args);
      assert.equal(first.code, 0, first.stderr);
      assert.match(first.stdout, /PASS/);
      assert.match(first.stderr, new RegExp(`afbus-topo down ${name}`));

      const [run] = await named(name);
      assert.deepEqual(run?.nodes.map((n) => [n.name, n.state]).sort(), [
        ['here', 'running'],
        ['there', 'running'],
      ]);

      const shown = await cli(['exec', name, 'here', '--', 'cat', '/proc/net/protocols']);
      assert.equal(shown.code, 0, shown.stderr);
      assert.match(
        shown.stdout,
        /^BUS\s+\d+\s+5\b/m,
        'a listening socket, two clients, two accepted sockets',
      );
      await passesStreamsAndStatus(name);
      await endsWithWhoAskedForIt(name);
      await leavesNoZombies(name);

      const second = await cli(args);
      assert.equal(second.code, 4);
      assert.match(second.stderr, new RegExp(`"${name}" is up already[\\s\\S]*afbus-topo down ${name}`));
      const replaced = await cli([...args, '--replace']);
      assert.equal(replaced.code, 0, replaced.stderr);
      assert.equal((await named(name)).length, 1);

      if (launcher === 'container') await staysWithoutContainers(name);
      assert.equal((await cli(['down', name])).code, 0);
      assert.deepEqual(await named(name), []);
      assert.equal((await cli(['down', name])).code, 0, 'down is idempotent');
    });
  }

  it('of two ups of one name at the same moment one is refused', async () => {
    using files = folder({ 'same.topo.yaml': chat('same', HELLO) });
    const both = await Promise.all(
      [1, 2].map(() => cli(['up', '--launcher', 'process', files.path('same.topo.yaml')])),
    );
    const said = both.map(({ stderr }) => stderr).join('\n');
    assert.deepEqual(both.map(({ code }) => code).sort(), [0, 4], said);
    assert.match(said, /"same" is up already/);
    assert.equal((await named('same')).length, 1);
    assert.equal((await cli(['down', 'same'])).code, 0);
  });

  it('an unknown node or topology is named, with those that are there', async () => {
    const { code, stderr } = await cli(['exec', 'nothing', 'here', 'true']);
    assert.equal(code, 2);
    assert.match(stderr, /nothing called "nothing" is up/);
  });

  it('two runs of the same file at the same time do not disturb each other', async () => {
    using files = folder({ 'twin.topo.yaml': chat('twin', HELLO.repeat(20)) });
    const both = await Promise.all(
      [1, 2].map(() => verdictOf(['run', '-q', '--launcher', 'process', files.path('twin.topo.yaml')])),
    );
    assert.deepEqual(
      both.map((v) => v.result),
      ['pass', 'pass'],
      JSON.stringify(both),
    );
    assert.notEqual(both[0]?.run, both[1]?.run);
  });

  it('a run that does not end is a timeout that names the step and what it waits for', async () => {
    using files = folder({ 'endless.topo.yaml': chat('endless', ENDLESS) });
    const { code, stdout, stderr } = await cli([
      ...['run', '--launcher', 'process', '--timeout', '15s', '--format', 'json'],
      files.path('endless.topo.yaml'),
    ]);
    assert.equal(code, 5, stderr);
    assert.equal((JSON.parse(stdout) as { result: string }).result, 'error');
    assert.match(stderr, /endless\.topo\.yaml:8.*camera/s);
    assert.deepEqual(await named('endless'), []);
  });

  it('Ctrl-C once cleans up and is 130', async () => {
    using files = folder({ 'cut.topo.yaml': chat('cut', ENDLESS) });
    let cut = false;
    const { code } = await cli(['run', '--launcher', 'process', files.path('cut.topo.yaml')], {
      onStderr: (child, text) => {
        if (cut || !/✓ nodes/.test(text)) return;
        cut = true;
        child.kill('SIGINT');
      },
    });
    assert.equal(code, 130);
    assert.deepEqual(await named('cut'), []);
  });

  it('what a killed runner leaves is gone by itself, or with the next run', async () => {
    using files = folder({
      'killed.topo.yaml': chat('killed', ENDLESS),
      'next.topo.yaml': chat('next', HELLO),
    });
    const { code } = await cli(['run', '--launcher', 'container', files.path('killed.topo.yaml')], {
      onStderr: (child, text) => void (/✓ nodes/.test(text) && child.kill('SIGKILL')),
    });
    assert.equal(code, null);
    assert.equal(
      (await verdictOf(['run', '-q', '--launcher', 'process', files.path('next.topo.yaml')])).result,
      'pass',
    );
    assert.deepEqual(await named('killed'), []);
  });

  it('a kernel that panics in mid-run is 255, with the last lines of its console, and the next run has a new host', async () => {
    using files = folder({
      'panic.topo.yaml': chat('panic', ENDLESS),
      'next.topo.yaml': chat('next', HELLO),
    });
    let crashed = false;
    const { code, stderr } = await cli(['run', '--launcher', 'process', files.path('panic.topo.yaml')], {
      onStderr: (_, text) => {
        if (crashed || !/✓ nodes/.test(text)) return;
        crashed = true;
        onHost('echo c >/proc/sysrq-trigger');
      },
    });
    assert.equal(code, 255, stderr);
    assert.match(stderr, /Kernel panic/);
    const next = await verdictOf(['run', '-q', '--launcher', 'process', files.path('next.topo.yaml')]);
    assert.equal(next.result, 'pass', JSON.stringify(next));
  });

  it('a client that dies unasked is an environment error that names it', async () => {
    using files = folder({ 'crash.topo.yaml': chat('crash', ENDLESS) });
    let killed = false;
    const { code, stderr } = await cli(['run', '--launcher', 'process', files.path('crash.topo.yaml')], {
      onStderr: (_, text) => {
        if (killed || !/✓ nodes/.test(text)) return;
        killed = true;
        killAgent('camera');
      },
    });
    assert.equal(code, 4, stderr);
    assert.match(stderr, /camera.*(SIGKILL|ended)/);
    assert.deepEqual(await named('crash'), []);
  });
});

/** Runs a line of shell as root on the host. Its input stays open: behind the end of it a command has five seconds. */
function onHost(line: string): void {
  const kernel = process.env.AFBUS_KERNEL ?? '6.12';
  const shell = spawn(AFBUS, ['host', 'shell', '--kernel', kernel], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.stdin.write(`${line}\nexit\n`);
}

/** Kills the agent's process inside the host, once it is there. */
const killAgent = (agent: string) => onHost(`until pkill -9 -f 'agent.cjs agent ${agent}'; do :; done`);
