#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# dbus-broker: every message of the bus itself has the same serial, 4294967295.
#
# Guess: org.freedesktop.DBus numbers its messages like any other sender, or at least counts up for each client. Two messages of
# one sender to one receiver then differ in their serials.
#
# What happens: dbus-daemon counts. dbus-broker 33 puts 4294967295, the largest serial there is, into every reply, error
# and signal of its own, to every client. That is allowed: a serial only says what an answer belongs to, it must not be 0, and
# nobody answers a reply or a signal.
#
# For a tester of a bus: a trace that identifies messages by sender and serial takes all messages of the bus for one and the
# same. So does a check for duplicates, and a check that serials grow. A client that keeps serials in a signed 32-bit number
# reads -1.
#
# Our project: a trace names messages by an envelope in the payload, never by sender and serial.
. "$(dirname "$0")/lib/finding.sh"

debian dbus-daemon=1.14.10-1~deb12u1 dbus-broker=33-1 \
	libdbus-1-3=1.14.10-1~deb12u1 libapparmor1=3.0.8-3 libexpat1=2.5.0-1+deb12u5
guess 'the serials of one sender differ'
observe python3 - <<'PYTHON'
from bus import DRIVER, Client, dbus_broker, dbus_daemon
from wire import SENDER

for name, bus in (('dbus-daemon', dbus_daemon), ('dbus-broker', dbus_broker)):
    with bus() as path:
        client = Client.connect(path)
        replies = [client.driver('GetId'), client.driver('ListNames'), client.driver('RequestName', 'su', 'org.example.A', 0)]
        error = client.driver('GetNameOwner', 's', 'org.example.Nobody')
        signals = [m for m in client.unread if m[SENDER] == DRIVER]
        serials = [m.serial for m in [*replies, error, *signals]]
        print(f'{name}: {len(replies)} replies, an error and {len(signals)} signals of the bus have', end=' ')
        print('a serial each' if len(set(serials)) == len(serials) else f'the serials {sorted(set(serials))}')
PYTHON
as_described <<'TEXT'
dbus-daemon: 3 replies, an error and 2 signals of the bus have a serial each
dbus-broker: 3 replies, an error and 2 signals of the bus have the serials [4294967295]
TEXT
