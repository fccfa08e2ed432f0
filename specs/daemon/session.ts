// SPDX-License-Identifier: MIT
/** A script of shell that uses a message bus, and what comes of it on one bus and on another. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type RunningBus, startDaemon, startOurs } from '../dbus/daemons.ts';

const run = promisify(execFile);
export const FIXTURES = fileURLToPath(new URL('fixtures', import.meta.url));
export const PYTHON = '/usr/bin/python3';

async function play(bus: RunningBus, script: string): Promise<string> {
  const env = { ...process.env, DBUS_SESSION_BUS_ADDRESS: `unix:path=${bus.path}`, LC_ALL: 'C.UTF-8' };
  const { stdout } = await run('bash', ['-c', `exec 2>&1\n${script}\ntrue`], { env, timeout: 120_000 });
  return normal(stdout);
}

/** Without what differs from bus to bus and from run to run. */
const normal = (text: string): string =>
  text
    .replace(/:\d+\.[0-9a-f]+/g, ':N')
    .replace(/time=\d+\.\d+/g, 'time=T')
    .replace(/serial=\d+/g, 'serial=S');

/** Plays a script on dbus-daemon and on this project's bus; both know `more` of dbus-daemon's configuration. */
export async function sameSession(script: string, more = ''): Promise<void> {
  await using theirs = await startDaemon(more);
  await using ours = await startOurs(more);
  const expected = await play(theirs, script);
  assert.equal(await play(ours, script), expected);
  assert.notEqual(expected, '');
}
