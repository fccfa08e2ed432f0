// SPDX-License-Identifier: MIT
// Services that a bus starts: for a call, by name, with an environment; and those that do not come.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { DRIVER } from '../../runner/dbus/index.ts';
import { startDaemon, startOurs } from '../dbus/daemons.ts';
import { RawClient } from '../dbus/raw-client.ts';
import { FIXTURES, PYTHON, sameSession } from './session.ts';
import { string } from './talk.ts';

const BUS =
  '--session --reply-timeout=200000 --print-reply --dest=org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus';
const START = (name: string) => `dbus-send ${BUS}.StartServiceByName string:${name} uint32:0`;
const CALL =
  'dbus-send --session --reply-timeout=200000 --print-reply --dest=org.example.Player /org/example/Player org.example.Player';

const SERVICES: Readonly<Record<string, string>> = {
  'org.example.Player': `${PYTHON} ${FIXTURES}/player.py`,
  'org.example.Fails': '/bin/sh -c "exit 3"',
  'org.example.Missing': '/nowhere/at/all',
  'org.example.Below': '/etc/passwd/below',
  'org.example.Killed': `/bin/sh -c 'kill -KILL $$'`,
};

describe('services', function () {
  this.timeout(300_000);
  let folder: string;
  let config: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dbus-services-'));
    for (const [name, exec] of Object.entries(SERVICES))
      writeFileSync(join(folder, `${name}.service`), `[D-BUS Service]\nName=${name}\nExec=${exec}\n`);
    config = `<servicedir>${folder}</servicedir><limit name="service_start_timeout">200000</limit>`;
  });

  after(() => rmSync(folder, { recursive: true }));

  it('start for a call, and by their names', () =>
    sameSession(
      `gdbus call --session --dest org.freedesktop.DBus --object-path / --method org.freedesktop.DBus.ListActivatableNames | tr ",()[]" "\\n" | sort
      ${CALL}.Announce string:x
      ${CALL}.Fail
      ${START('org.example.Player')}
      ${CALL}.Quit
      gdbus call --session --dest org.example.Player --object-path /org/example/Player --method org.freedesktop.DBus.Peer.Ping
      ${CALL}.Quit`,
      config,
    ));

  it('that cannot start are reported to the caller with the reason', () =>
    sameSession(
      ['Fails', 'Missing', 'Below', 'Killed', 'Nobody']
        .map((name) => START(`org.example.${name}`))
        .join('\n'),
      config,
    ));

  for (const [whose, start] of [
    ['dbus-daemon', startDaemon],
    ['this bus', startOurs],
  ] as const)
    it(`that were read again are announced to everyone: ${whose}`, async () => {
      await using bus = await start(config);
      using watcher = await RawClient.join(bus.path);
      using other = await RawClient.join(bus.path);
      await watcher.call('AddMatch', [string("member='ActivatableServicesChanged'")]);
      await other.call('ReloadConfig');
      const { sender, path, args } = await watcher.until(({ type }) => type === 'signal');
      assert.deepEqual([sender, path, args], [DRIVER, '/org/freedesktop/DBus', []]);
    });
});
