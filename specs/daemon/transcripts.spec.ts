// SPDX-License-Identifier: MIT
// Programs of others, unmodified, on dbus-daemon and on this project's bus: both sessions read the same.
import { describe, it } from 'mocha';
import { FIXTURES, PYTHON, sameSession } from './session.ts';

const PLAYER = `${PYTHON} ${FIXTURES}/player.py & gdbus wait --session --timeout 60 org.example.Player || exit 1`;
const AT = 'org.example.Player /org/example/Player';
const BUS = 'org.freedesktop.DBus /org/freedesktop/DBus';
const GDBUS = '--session --dest org.example.Player --object-path /org/example/Player';

const SESSIONS: Readonly<Record<string, string>> = {
  'dbus-send asks the bus': `
    dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames
    dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NoSuch
    dbus-send --session --print-reply --dest=org.example.Nobody / org.example.Nobody.X`,
  'busctl asks the bus': `
    busctl --user introspect ${BUS}
    busctl --user call ${BUS} org.freedesktop.DBus RequestName su org.example.A 0
    busctl --user get-property ${BUS} org.freedesktop.DBus Interfaces
    busctl --user tree org.freedesktop.DBus`,
  'gdbus asks the bus': `
    gdbus introspect --session --dest org.freedesktop.DBus --object-path /org/freedesktop/DBus
    gdbus introspect --session --dest org.freedesktop.DBus --object-path / --recurse
    gdbus call --session --dest org.freedesktop.DBus --object-path / --method org.freedesktop.DBus.GetNameOwner x`,
  'dbus-send, busctl and gdbus use a service on libdbus': `${PLAYER}
    dbus-send --session --print-reply --dest=${AT} org.example.Player.Fail
    busctl --user introspect ${AT}
    busctl --user call ${AT} org.example.Player Echo 'sa{sv}(iu)' text 1 key s value -2 3
    gdbus call ${GDBUS} --method org.example.Player.Echo text "{'key': <uint16 5>}" '(-2, 3)'
    gdbus call ${GDBUS} --method org.example.Player.Fail
    gdbus call ${GDBUS} --method org.example.Player.Quit
    wait`,
  'python3-dbus uses a service on python3-dbus': `${PLAYER}
    ${PYTHON} ${FIXTURES}/listener.py || exit 1
    wait`,
};

describe('programs of others', function () {
  this.timeout(300_000);

  for (const [title, script] of Object.entries(SESSIONS)) it(title, () => sameSession(script));
});
