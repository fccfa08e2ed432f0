// SPDX-License-Identifier: MIT
/** What the machine may lack: one clear message each, with what to do. Needs no host. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { chooseAccelerator } from '../../runner/host/accelerator.ts';
import { must } from '../../runner/host/command.ts';
import { causeOfDeath, lastLines } from '../../runner/host/console.ts';
import { build, missing } from '../../runner/host/host.ts';
import { lock, tryLock } from '../../runner/host/lock.ts';
import { findImage } from '../../runner/host/manifest.ts';
import { identify } from '../../runner/host/process.ts';
import { checkSpace } from '../../runner/host/space.ts';
import { folder } from '../helpers/cli.ts';
import { kernel } from './scene.ts';

describe('host: faults', () => {
  it('programs that are missing are named, with the package and how to install it', async () => {
    const path = process.env.PATH;
    process.env.PATH = '/nowhere';
    try {
      assert.ok(missing().some((r) => r.command === 'qemu-system-x86_64'));
      await assert.rejects(build({ kernel }), {
        name: 'EnvironmentError',
        message: /qemu-system-x86_64 \(runs the host\)/,
        hint: /apt-get install .*qemu-system-x86/,
      });
    } finally {
      process.env.PATH = path;
    }
  });

  it('too little disk space is reported before anything is built', () => {
    using own = folder({});
    assert.throws(() => checkSpace(own.path('.'), 1e9), {
      name: 'EnvironmentError',
      message: /has .* GiB of free space, and .* GiB are needed/,
      hint: /host clean/,
    });
  });

  it('a script that fails gives its last words and its hint', async () => {
    await assert.rejects(
      must('trying', ['sh', '-c', 'echo first >&2; echo last >&2; echo "hint: do this" >&2; exit 4']),
      {
        message: 'trying failed: last',
        hint: 'do this',
        lines: ['first', 'last'],
      },
    );
  });

  it('an interrupted script is ended with its children', async () => {
    const interrupt = new AbortController();
    const pids: string[] = [];
    const running = must('waiting', ['sh', '-c', 'sleep 1000 & echo $! >&2; wait'], {
      signal: interrupt.signal,
      onLine: (line) => {
        pids.push(line);
        interrupt.abort();
      },
    });
    await assert.rejects(running, { name: 'Interrupted' });
    // What it had open is closed, which is what was waited for; a step of its end comes behind that.
    const late = AbortSignal.timeout(5000);
    while (identify(Number(pids[0])) !== null) await wait(5, undefined, { signal: late });
  });

  it('an image that is cut short counts as none', () => {
    const folder = mkdtempSync(join(tmpdir(), 'afbus-image-'));
    writeFileSync(join(folder, 'memory'), 'x'.repeat(100));
    writeFileSync(
      join(folder, 'image.json'),
      JSON.stringify({ files: { memory: 100 }, parts: { engine: '' } }),
    );
    truncateSync(join(folder, 'memory'), 50);
    assert.equal(findImage(folder), null);
    writeFileSync(join(folder, 'image.json'), '{ half');
    assert.equal(findImage(folder), null);
    rmSync(folder, { recursive: true });
  });

  it('a lock admits one process at a time, and says that it waits', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'afbus-lock-')), 'lock');
    const first = await lock(file, () => assert.fail('nobody has it'));
    assert.equal(await tryLock(file), null);
    const waits = Promise.withResolvers<void>();
    const second = lock(file, waits.resolve);
    await waits.promise;
    await first.release();
    await (await second).release();
    rmSync(join(file, '..'), { recursive: true });
  });

  it('the accelerator is chosen with a reason', async () => {
    process.env.AFBUS_ACCELERATOR = 'tcg';
    const choice = await chooseAccelerator(() => assert.fail('no probe is needed'));
    delete process.env.AFBUS_ACCELERATOR;
    assert.deepEqual(choice, { accelerator: 'tcg', reason: 'TCG (emulation): AFBUS_ACCELERATOR=tcg' });
  });

  it('the console is shown from the panic on', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'afbus-console-')), 'console.log');
    const trace = Array.from({ length: 40 }, (_, i) => `[    9.1] trace ${i}`);
    writeFileSync(
      file,
      ['[    1.0] fine', '[    9.0] Kernel panic - not syncing: no reason', ...trace].join('\r\n'),
    );
    assert.equal(causeOfDeath(file), 'Kernel panic: no reason');
    assert.equal(lastLines(file).length, 15);
    assert.match(lastLines(file)[0] ?? '', /Kernel panic/);
    writeFileSync(file, trace.join('\n'));
    assert.equal(causeOfDeath(file), null);
    assert.deepEqual(lastLines(file), trace.slice(-15));
    assert.equal(causeOfDeath(join(file, 'nowhere')), null);
    rmSync(join(file, '..'), { recursive: true });
  });
});
