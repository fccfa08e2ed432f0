// SPDX-License-Identifier: MIT
// The processes of services that the bus starts.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'mocha';
import { Launcher } from '../../../daemon/bus/launcher.ts';
import { inWords, Scene, string, uint32 } from './scene.ts';

const NAME = 'org.example.Player';
const TIMEOUT = 60_000;

it('a process that had its name and has ended does not count for the next start', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'launcher-spec-'));
  const [fifo, pid] = [join(folder, 'fifo'), join(folder, 'pid')];
  execFileSync('mkfifo', [fifo]);
  try {
    const scene = new Scene();
    const told = Promise.withResolvers<string[]>();
    const launcher = new Launcher(scene.driver, (effects) => told.resolve(inWords(effects)), {
      ...{ log: () => {}, environment: {} },
    });
    const start = (script: string): void =>
      launcher.start({ name: NAME, exec: ['/bin/sh', '-c', script] }, TIMEOUT);
    scene.driver.activation.setServices([{ name: NAME, exec: ['/bin/player'] }]);
    const a = scene.join();

    scene.call(a, 'StartServiceByName', [string(NAME), uint32(0)]);
    start(`echo $$ >${pid}; read line <${fifo}; exit 3`);
    scene.call(a, 'RequestName', [string(NAME), uint32(0)]);
    scene.call(a, 'ReleaseName', [string(NAME)]);
    scene.call(a, 'StartServiceByName', [string(NAME), uint32(0)]);
    // The first one is gone when the launcher has been told of its end.
    start(`echo >${fifo}; while kill -0 $(cat ${pid}) 2>/dev/null; do sleep 0.05; done; exit 4`);
    assert.deepEqual(await told.promise, [
      `:0.1 < !Spawn.ChildExited "Process ${NAME} exited with status 4"`,
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('a process that does not get its name in time is killed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'launcher-spec-'));
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  try {
    const scene = new Scene();
    const told = Promise.withResolvers<string[]>();
    const launcher = new Launcher(scene.driver, (effects) => told.resolve(inWords(effects)), {
      ...{ log: () => {}, environment: {} },
    });
    // Ends when the process has ended, and nobody can write any more.
    const written = readFile(fifo, 'utf8');
    const exec = ['/bin/sh', '-c', `exec sleep 60 >${fifo}`];
    scene.driver.activation.setServices([{ name: NAME, exec }]);
    scene.call(scene.join(), 'StartServiceByName', [string(NAME), uint32(0)]);
    launcher.start({ name: NAME, exec }, 1000);
    const error = `TimedOut "Failed to activate service '${NAME}': timed out (service_start_timeout=1000ms)"`;
    assert.deepEqual(await told.promise, [`:0.1 < !${error}`]);
    assert.equal(await written, '');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('what a service writes goes to the descriptor that the launcher was given', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'launcher-spec-'));
  const output = openSync(join(folder, 'output'), 'w');
  try {
    const scene = new Scene();
    const ended = Promise.withResolvers<unknown>();
    const launcher = new Launcher(scene.driver, ended.resolve, { log: () => {}, environment: {}, output });
    scene.driver.activation.setServices([{ name: NAME, exec: ['/bin/player'] }]);
    scene.call(scene.join(), 'StartServiceByName', [string(NAME), uint32(0)]);
    launcher.start({ name: NAME, exec: ['/bin/sh', '-c', 'echo a report; exit 1'] }, TIMEOUT);
    await ended.promise;
    assert.equal(readFileSync(join(folder, 'output'), 'utf8'), 'a report\n');
  } finally {
    closeSync(output);
    rmSync(folder, { recursive: true });
  }
});

const LONG = 'x'.repeat(1 << 20);
for (const [what, exec, environment, why] of [
  ['is not there', ['/no/such/program'], {}, 'No such file or directory'],
  ['is below a file', ['/etc/passwd/program'], {}, 'Not a directory'],
  ['has no name', [''], {}, /cannot be empty/],
  ['has a NUL byte in its name', ['/bin/\0'], {}, /without null bytes/],
  ['gets too long an environment', ['/bin/true'], { LONG }, 'Argument list too long'],
] as const)
  it(`a program that ${what} is an error for who needs the service`, async () => {
    const scene = new Scene();
    const told = Promise.withResolvers<string[]>();
    const launcher = new Launcher(scene.driver, (effects) => told.resolve(inWords(effects)), {
      ...{ log: () => {}, environment },
    });
    scene.driver.activation.setServices([{ name: NAME, exec }]);
    scene.call(scene.join(), 'StartServiceByName', [string(NAME), uint32(0)]);
    launcher.start({ name: NAME, exec }, TIMEOUT);
    const [answer = '', ...more] = await told.promise;
    const start = `:0.1 < !Spawn.ExecFailed "Failed to execute program ${NAME}: `;
    assert.deepEqual([answer.slice(0, start.length), more], [start, []]);
    const said = answer.slice(start.length, -1);
    if (typeof why === 'string') assert.equal(said, why);
    else assert.match(said, why);
  });
