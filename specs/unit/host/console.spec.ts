// SPDX-License-Identifier: MIT
// A host's console is written by root in the guest, for as long as the host is up: it fills no disk and steers nothing.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { LIMITS } from '../../../runner/common/limits.ts';
import { causeOfDeath, consoleLines, lastLines } from '../../../runner/host/console.ts';
import { DROPPED, spawnKeeper } from '../../../runner/host/console-keeper.ts';
import { isAlive } from '../../../runner/host/process.ts';
import { newState, stateFile } from '../../../runner/host/state.ts';
import { cli, folder } from '../../helpers/cli.ts';
import { assertHarmless } from '../../helpers/harmless.ts';

const EVIL = ['\u001b]0;forged\u0007\u001b[2J', '::error file=evil::forged', '##[error]forged', '\u202e'];

describe('the console of a host', () => {
  let files: ReturnType<typeof folder>;
  const outer = process.env.XDG_STATE_HOME;
  beforeEach(() => {
    files = folder({});
    process.env.XDG_STATE_HOME = files.path('state');
  });
  afterEach(() => {
    if (outer === undefined) delete process.env.XDG_STATE_HOME;
    else process.env.XDG_STATE_HOME = outer;
    files[Symbol.dispose]();
  });

  const console_ = () => stateFile('6.12', 'console');
  const size = (path: string) =>
    readdirSync(path).reduce((sum, name) => sum + statSync(`${path}/${name}`).size, 0);

  /** A host that says this, and ends. */
  async function says(...parts: readonly string[]): Promise<void> {
    newState('6.12');
    const keeper = spawnKeeper('6.12');
    for (const part of parts) if (!keeper.socket.write(part)) await once(keeper.socket, 'drain');
    keeper.socket.end();
    while (isAlive(keeper)) await wait(10);
  }

  it('is kept whole while it is short, and readable by its owner alone', async () => {
    await says('booting\r\n', 'afbus-host: booted\n');
    assert.deepEqual(consoleLines(console_()), ['booting', 'afbus-host: booted']);
    assert.equal(statSync(console_()).mode & 0o777, 0o600);
  });

  it('has a bound: the oldest lines go, a line says so, and the last ones stay', async () => {
    const line = `${'x'.repeat(99)}\n`.repeat(10_000);
    await says(line, line, line, line, 'Kernel panic - not syncing: sysrq\n');
    assert.ok(size(files.path('state/afbus-topo/host-6.12')) <= LIMITS.consoleBytes.most);
    const lines = consoleLines(console_());
    assert.equal(lines[0], DROPPED);
    assert.ok(lines.length > 10_000);
    assert.equal(causeOfDeath(console_()), 'Kernel panic: sysrq');
  });

  it('has a bound where it is one endless line, and for several hosts', async () => {
    const chunk = 'x'.repeat(1 << 20);
    for (let n = 0; n < 3; n++) await says(chunk, chunk, chunk, chunk, 'y');
    assert.ok(size(files.path('state/afbus-topo/host-6.12')) <= 2 * LIMITS.consoleBytes.most);
  });

  it('has no control characters that act on a terminal', async () => {
    newState('6.12');
    mkdirSync(files.path('state'), { recursive: true });
    const panic = `Kernel panic - not syncing: ${EVIL[0]}`;
    writeFileSync(console_(), [...EVIL, panic, ...EVIL].join('\n'));
    // A host that is no more: its process is not there.
    const host = { kernel: '6.12', pid: 2 ** 30, process: { ticks: '', boot: '' }, consoleFile: console_() };
    writeFileSync(stateFile('6.12', 'host'), JSON.stringify(host));
    assert.equal(lastLines(console_()).length, 1 + EVIL.length);
    for (const args of [['logs'], ['status'], ['status', '--format', 'json'], ['stop']]) {
      const said = await cli(['host', ...args], { env: { XDG_STATE_HOME: files.path('state') } });
      assert.equal(said.code, 0, said.stderr);
      if (args.length === 1 && args[0] !== 'stop') assert.match(said.stdout, /Kernel panic/);
      assertHarmless(said, args.join(' '));
    }
  });
});
