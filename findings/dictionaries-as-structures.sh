#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# dbus-broker and sd-bus count dictionary entries as structures; dbus-daemon and GLib do not.
#
# Guess: a signature may have 32 arrays and 32 structures in each other, and all count alike. An entry of a dictionary is written
# with braces, not with parentheses, so 32 dictionaries in 2 structures are as good as 32 plain arrays in 2 structures.
#
# What happens: gdbus sends both, and dbus-daemon passes both on. dbus-broker passes the plain arrays on; the dictionaries never
# arrive, and gdbus, which ends with 0, does not say so. busctl sends the plain arrays, and calls the others an invalid signature.
# Both count entries and structures together: 31 entries and 1 structure are well, 31 and 2 are not.
#
# For a tester of a bus: the deepest signature depends on the bus and on the library that reads it. A generator of messages that
# counts by the specification makes some that one of two correct buses refuses.
#
# Our project: the message bus, the module and the client libraries count as dbus-daemon does; docs/cookbook-dbus.md warns of it.
. "$(dirname "$0")/lib/finding.sh"

debian dbus-daemon=1.14.10-1~deb12u1 dbus-broker=33-1 libdbus-1-3=1.14.10-1~deb12u1 \
	libapparmor1=3.0.8-3 libexpat1=2.5.0-1+deb12u5 \
	systemd=252.39-1~deb12u2 libsystemd-shared=252.39-1~deb12u2 libkmod2=30+20221128-1 libip4tc2=1.8.9-2 libssl3=3.0.22-1~deb12u2 \
	libglib2.0-bin=2.74.6-2+deb12u9 libglib2.0-0=2.74.6-2+deb12u9
guess 'all four arrive, whoever sends them'
observe python3 - <<'PYTHON'
import subprocess
from bus import ENVIRONMENT, ROOT, Client, dbus_broker, dbus_daemon
from wire import INTERFACE, MEMBER, SIGNATURE


def nested(structures, inside, arrays):
    """An array of structures of arrays; it is sent empty."""
    opened, closed = inside
    return 'a' + '(' * structures + opened * (arrays - 1) + 's' + closed * (arrays - 1) + ')' * structures


PLAIN, DICTIONARIES = ('a', ''), ('a{s', '}')
SIGNATURES = {
    '32 arrays in 2 structures': nested(2, PLAIN, 32),
    '32 arrays, 31 of them dictionaries, in 1 structure': nested(1, DICTIONARIES, 32),
    '32 arrays, 31 of them dictionaries, in 2 structures': nested(2, DICTIONARIES, 32),
    '17 arrays, 16 of them dictionaries, in 17 structures': nested(17, DICTIONARIES, 17),
}


def until_it_left(receiver):
    """The signals that a tool sent: its messages come before the bus notices its end."""
    signals = []
    while True:
        message = receiver.read()
        if message[INTERFACE] == 'org.example.A':
            signals.append(message)
        elif message[MEMBER] == 'NameOwnerChanged' and message.body[2] == '':
            return signals


def tools(signature):
    yield ['busctl', '--user', 'emit', '/a', 'org.example.A', 'Changed', signature, '0']
    yield ['gdbus', 'emit', '--session', '--object-path', '/a', '--signal', 'org.example.A.Changed', f'@{signature} []']


for name, bus in (('dbus-daemon', dbus_daemon), ('dbus-broker', dbus_broker)):
    with bus() as path:
        receiver = Client.connect(path)
        environment = {**ENVIRONMENT, 'DBUS_SESSION_BUS_ADDRESS': 'unix:path=' + path}
        for rule in ("interface='org.example.A'", "sender='org.freedesktop.DBus',member='NameOwnerChanged'"):
            receiver.driver('AddMatch', 's', rule)
        for words, signature in SIGNATURES.items():
            for tool, *arguments in tools(signature):
                done = subprocess.run([f'{ROOT}/usr/bin/{tool}', *arguments], env=environment, text=True, capture_output=True)
                came = [each[SIGNATURE] == signature for each in until_it_left(receiver)]
                print(f'{name}, {tool}, {words}:', 'arrives' if came == [True] else done.stderr.strip() or 'does not arrive')
PYTHON
as_described <<'TEXT'
dbus-daemon, busctl, 32 arrays in 2 structures: arrives
dbus-daemon, gdbus, 32 arrays in 2 structures: arrives
dbus-daemon, busctl, 32 arrays, 31 of them dictionaries, in 1 structure: arrives
dbus-daemon, gdbus, 32 arrays, 31 of them dictionaries, in 1 structure: arrives
dbus-daemon, busctl, 32 arrays, 31 of them dictionaries, in 2 structures: Invalid array signature: Invalid argument
dbus-daemon, gdbus, 32 arrays, 31 of them dictionaries, in 2 structures: arrives
dbus-daemon, busctl, 17 arrays, 16 of them dictionaries, in 17 structures: Invalid array signature: Invalid argument
dbus-daemon, gdbus, 17 arrays, 16 of them dictionaries, in 17 structures: arrives
dbus-broker, busctl, 32 arrays in 2 structures: arrives
dbus-broker, gdbus, 32 arrays in 2 structures: arrives
dbus-broker, busctl, 32 arrays, 31 of them dictionaries, in 1 structure: arrives
dbus-broker, gdbus, 32 arrays, 31 of them dictionaries, in 1 structure: arrives
dbus-broker, busctl, 32 arrays, 31 of them dictionaries, in 2 structures: Invalid array signature: Invalid argument
dbus-broker, gdbus, 32 arrays, 31 of them dictionaries, in 2 structures: does not arrive
dbus-broker, busctl, 17 arrays, 16 of them dictionaries, in 17 structures: Invalid array signature: Invalid argument
dbus-broker, gdbus, 17 arrays, 16 of them dictionaries, in 17 structures: does not arrive
TEXT
