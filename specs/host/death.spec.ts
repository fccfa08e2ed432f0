// SPDX-License-Identifier: MIT
/** A host that dies is seen within seconds, with the reason; the next start has a new one. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { before, beforeEach, describe, it } from 'mocha';
import type { HostDied } from '../../runner/common/errors.ts';
import { channel, type Host, runInHost, start, status, stop, watch } from '../../runner/host/host.ts';
import { identify, isAlive, type Known } from '../../runner/host/process.ts';
import { kernel, ownState } from './scene.ts';

describe('host: death', function () {
  this.timeout(120_000);
  let host: Host;
  ownState();

  before(function () {
    this.timeout(1_200_000); // may build the image
    return start({ kernel });
  });
  beforeEach(async () => {
    host = await start({ kernel });
  });

  it('a panic is reported with the lines of the console', async () => {
    const guard = watch(host);
    assert.equal(await guard.probe(), null);
    await channel(host, ['sh', '-c', 'echo c >/proc/sysrq-trigger']);
    const died = await guard.died;
    assert.match(died.message, /Kernel panic.*sysrq triggered crash/);
    assert.equal(died.exitCode, 255);
    assert.ok(died.lines.length > 0 && died.lines.length <= 15);
    assert.match(died.lines.join('\n'), /sysrq/);
    const now = await status({ kernel });
    assert.equal(now.state, 'stale');
    assert.match((now as { reason: string }).reason, /panic/i);
  });

  it('a killed machine is reported, and what was started beside it ends', async () => {
    const guard = watch(host);
    const beside = childrenOf(host.pid);
    assert.equal(beside.length, host.exposed ? 0 : 1);
    process.kill(host.pid, 'SIGKILL');
    assert.match((await guard.died).message, /ended/);
    while (beside.some((one) => isAlive(one))) await new Promise(setImmediate);
    assert.match(((await guard.probe()) as HostDied).message, /ended/);
  });

  it('a hung machine is reported', async () => {
    const guard = watch(host);
    assert.equal(await guard.probe(), null);
    process.kill(host.pid, 'SIGSTOP');
    const from = performance.now();
    const died = await guard.died;
    assert.match(died.message, /silent|does not answer/);
    assert.ok(performance.now() - from < 30_000);
    process.kill(host.pid, 'SIGCONT');
  });

  it('an engine that ends takes the machine with it', async () => {
    const guard = watch(host);
    await channel(host, ['pkill', '-KILL', '-x', 'dockerd']);
    assert.match((await guard.died).message, /dockerd ended/);
  });

  it('a guard that was stopped reports nothing', async () => {
    const guard = watch(host);
    guard.stop();
    process.kill(host.pid, 'SIGKILL');
    assert.equal(await Promise.race([guard.died, start({ kernel }).then(() => 'nothing')]), 'nothing');
  });

  it('a machine whose starter was killed is ended by the next start', async () => {
    await stop({ kernel });
    const source = new URL('../../runner/host/host.ts', import.meta.url);
    const code = `import { start } from ${JSON.stringify(source.href)}; await start({ kernel: '${kernel}' });`;
    const starter = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: 'inherit' });
    const gone = new Promise((resolve) => starter.once('exit', resolve));
    const pending = join(process.env.XDG_STATE_HOME ?? '', 'afbus-topo', `host-${kernel}`, 'pending.json');
    while (!existsSync(pending)) await wait(5);
    starter.kill('SIGKILL');
    await gone;
    const { pid } = JSON.parse(readFileSync(pending, 'utf8'));
    assert.notEqual(identify(pid), null);
    assert.notEqual((await start({ kernel })).pid, pid);
    assert.equal(identify(pid), null);
  });

  it('a process of others with the old number is not taken for the host', async () => {
    process.kill(host.pid, 'SIGKILL');
    const file = join(process.env.XDG_STATE_HOME ?? '', 'afbus-topo', `host-${kernel}`, 'host.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), pid: process.pid }));
    assert.equal((await status({ kernel })).state, 'stale');
    const fresh = await start({ kernel });
    assert.equal((await runInHost(fresh, ['true'])).code, 0);
  });
});

function childrenOf(pid: number): readonly Known[] {
  const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return pids.map((child) => {
    const process = identify(Number(child));
    assert.ok(process, `${child} is a child of the machine`);
    return { pid: Number(child), process };
  });
}
