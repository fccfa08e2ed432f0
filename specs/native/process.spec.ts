// SPDX-License-Identifier: MIT
// The binding among other things: processes that end, worker threads, the garbage collector, bundles.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { describe, it } from 'mocha';
import { BusClient } from '../../native/lib/index.ts';
import { candidatePaths } from '../../native/lib/load.ts';
import { Bus, collectUntil, leaksNothing, texts } from './bus.ts';

// Plain JavaScript over what is published, as users have it.
const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}.mjs`, import.meta.url));
const run = promisify(execFile);

describe('a process', () => {
  it('ends by itself if nothing is awaited, whatever is open', async () => {
    const { stdout } = await run(process.execPath, [fixture('idle')], { timeout: 60_000 });
    assert.equal(stdout, 'done\n');
  }).timeout(90_000);

  it('stays for a receive that waits', async () => {
    const { stdout } = await run(process.execPath, [fixture('waiting')], { timeout: 60_000 });
    assert.equal(stdout, 'late\n');
  }).timeout(90_000);

  it('may exit with everything pending', async () => {
    const child = spawn(process.execPath, [fixture('exit')], { stdio: 'inherit' });
    assert.deepEqual(await once(child, 'exit'), [7, null]);
  }).timeout(90_000);

  it('may go on with a socket that it inherited', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    const child = spawn(process.execPath, [fixture('heir')], {
      stdio: ['ignore', 'inherit', 'inherit', client.fd],
    });
    const exit = once(child, 'exit');
    client.close();
    assert.deepEqual(texts(await accepted.receive()), [`${accepted.peer} in another process`]);
    assert.deepEqual(await accepted.receive(), [], 'the attachment ends with its last descriptor');
    assert.deepEqual(await exit, [0, null]);
  }).timeout(90_000);
});

describe('a worker thread', () => {
  const start = (bus: Bus, role: string) =>
    new Worker(fixture('worker'), { workerData: { path: bus.master.path, role } });

  it('has sockets of its own loop', async () => {
    await using bus = await Bus.open();
    const worker = start(bus, 'echo');
    const accepted = await bus.master.accept();
    for (const text of ['a', 'b']) {
      await accepted.send(text);
      assert.deepEqual(texts(await accepted.receive()), [`${text}, ${text}`]);
    }
    const exit = once(worker, 'exit');
    accepted.expel();
    assert.deepEqual(await exit, [0]);
    accepted.close();
  }).timeout(90_000);

  it('ends by itself with an open socket, which is closed', async () => {
    await using bus = await Bus.open();
    const exit = once(start(bus, 'idle'), 'exit');
    const accepted = await bus.master.accept();
    assert.deepEqual(await exit, [0]);
    assert.deepEqual(await accepted.receive(), []);
    accepted.close();
  }).timeout(90_000);

  it('may be stopped in the middle of a call', async () => {
    await using bus = await Bus.open();
    for (let round = 0; round < 3; round++) {
      const worker = start(bus, 'busy');
      await once(worker, 'message');
      const accepted = await bus.master.accept();
      assert.equal(await worker.terminate(), 1);
      assert.deepEqual(await accepted.receive(), []);
      accepted.close();
    }
  }).timeout(90_000);

  it('stopped with everything pending leaves no descriptor, received ones included', async () => {
    await using bus = await Bus.open({ queueLength: 2 });
    await leaksNothing(async () => {
      const worker = start(bus, 'wait');
      await once(worker, 'message');
      const accepted = await bus.master.accept();
      await accepted.send('keep these', { fds: [0, 0, 0] });
      await once(worker, 'message');
      await worker.terminate();
      while (!accepted.atEnd) await accepted.receive();
      accepted.close();
    }, 5);
  }).timeout(90_000);
});

describe('the garbage collector', () => {
  it('closes a socket that was forgotten', async () => {
    await using bus = await Bus.open();
    const accepted = await (async () => {
      await BusClient.connect(bus.master.path);
      return bus.master.accept();
    })();
    await collectUntil(() => accepted.tryReceive().length === 0 && accepted.atEnd);
    accepted.close();
  });

  it('leaves a socket alone while something waits on it', async () => {
    await using bus = await Bus.open({ queueLength: 2 });
    const { waits, accepted } = await (async () => {
      const client = await BusClient.connect(bus.master.path);
      const accepted = await bus.master.accept();
      const sends = Array.from({ length: 6 }, (_, i) => client.send(`${i}`));
      return { waits: [client.receive({ max: 1 }), client.ended, ...sends] as const, accepted };
    })();
    let rounds = 0;
    await collectUntil(() => ++rounds > 5);
    const got: string[] = [];
    while (got.length < 6) got.push(...texts(await accepted.receive()));
    assert.deepEqual(got, ['0', '1', '2', '3', '4', '5']);
    const [read, ended, ...sends] = waits;
    await Promise.all(sends);
    await accepted.send('still there?');
    assert.deepEqual(texts(await read), ['still there?']);
    accepted.expel();
    assert.deepEqual(await ended, { why: 'hangup' });
    accepted.close();
  });
});

describe('a bundle', () => {
  it('finds the addon in native/ beside it, wherever both are', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'afbus-bundle-'));
    try {
      mkdirSync(join(folder, 'native'));
      copyFileSync(candidatePaths().at(-1) as string, join(folder, 'native/afbus.node'));
      const outfile = join(folder, 'agent.mjs');
      await build({
        entryPoints: [fixture('idle')],
        outfile,
        bundle: true,
        platform: 'node',
        format: 'esm',
        logLevel: 'error',
      });
      const { stdout } = await run(process.execPath, [outfile], { timeout: 60_000, cwd: '/' });
      assert.equal(stdout, 'done\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  }).timeout(90_000);
});
