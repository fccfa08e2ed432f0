// SPDX-License-Identifier: MIT
// Services that a bus starts: for a call, by name, with an environment; and those that do not come.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { FIXTURES, PYTHON, sameSession } from './session.ts';

const BUS =
  '--session --reply-timeout=200000 --print-reply --dest=org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus';
const START = (name: string) => `dbus-send ${BUS}.StartServiceByName string:${name} uint32:0`;
const CALL =
  'dbus-send --session --reply-timeout=200000 --print-reply --dest=org.example.Player /org/example/Player org.example.Player';

const SERVICES: Readonly<Record<string, string>> = {
  'org.example.Player': `${PYTHON} ${FIXTURES}/player.py`,
  'org.example.Fails': '/bin/sh -c "exit 3"',
  'org.example.Missing': '/nowhere/at/all',
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
      ['org.example.Fails', 'org.example.Missing', 'org.example.Killed', 'org.example.Nobody']
        .map(START)
        .join('\n'),
      config,
    ));
});
