#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# busctl and dbus-send print six digits of a double; busctl's JSON prints all, but has null for infinity.
#
# Guess: a tool that shows a value shows enough of it to tell it from its neighbours. What `busctl call` prints is written in the
# form of its own arguments, so it can be given back to it.
#
# What happens: 1764504000.25, a time in seconds, is printed as 1.7645e+09 by busctl and by dbus-send: 50 seconds more
# are not seen. gdbus prints it whole. `busctl --json` prints 21 decimals, and writes infinity and NaN as null, so that a
# reader cannot tell them from each other or from no value.
#
# For a tester of a bus: two services that return different numbers can have the same transcript, and a test that compares
# what busctl prints passes. Compare doubles through gdbus or through a client that reads the bytes.
#
# Our project: a topology may judge the output of an unmodified program; docs/cookbook-dbus.md warns of this.
. "$(dirname "$0")/lib/finding.sh"

debian dbus-daemon=1.14.10-1~deb12u1 dbus-bin=1.14.10-1~deb12u1 libdbus-1-3=1.14.10-1~deb12u1 \
	libapparmor1=3.0.8-3 libexpat1=2.5.0-1+deb12u5 \
	systemd=252.39-1~deb12u2 libsystemd-shared=252.39-1~deb12u2 libkmod2=30+20221128-1 libip4tc2=1.8.9-2 libssl3=3.0.22-1~deb12u2 \
	libglib2.0-bin=2.74.6-2+deb12u9 libglib2.0-0=2.74.6-2+deb12u9
guess 'each tool prints different numbers differently'
observe python3 - <<'PYTHON'
import subprocess
import threading
from bus import CALL, DESTINATION, ENVIRONMENT, ERROR, ERROR_NAME, MEMBER, REPLY_SERIAL, RETURN, ROOT, Client, dbus_daemon
from wire import SENDER

SERVICE, OBJECT, INTERFACE, METHOD = 'org.example.Clock', '/clock', 'org.example.Clock', 'Read'


def serve(service, values):
    """Each call of Read is answered with the next value; gdbus asks what there is first, and gets an error."""
    for value in values:
        call = service.read()
        while call.kind != CALL or call[MEMBER] != METHOD:
            if call.kind == CALL:
                service.send(ERROR, {REPLY_SERIAL: call.serial, DESTINATION: call[SENDER], ERROR_NAME: 'org.example.No'})
            call = service.read()
        service.send(RETURN, {REPLY_SERIAL: call.serial, DESTINATION: call[SENDER]}, 'd', (value,))


def tools(address):
    yield 'busctl', ['busctl', '--address=' + address, 'call', SERVICE, OBJECT, INTERFACE, METHOD]
    yield 'busctl --json', ['busctl', '--address=' + address, '--json=short', 'call', SERVICE, OBJECT, INTERFACE, METHOD]
    yield 'dbus-send', ['dbus-send', '--bus=' + address, '--print-reply=literal', '--dest=' + SERVICE, OBJECT, f'{INTERFACE}.{METHOD}']
    yield 'gdbus', ['gdbus', 'call', '--address', address, '-d', SERVICE, '-o', OBJECT, '-m', f'{INTERFACE}.{METHOD}']


VALUES = (1764504000.25, 1764504050.25, float('inf'), float('nan'))
with dbus_daemon() as path:
    for tool, command in tools('unix:path=' + path):
        service = Client.connect(path)
        service.driver('RequestName', 'su', SERVICE, 0)
        server = threading.Thread(target=serve, args=(service, VALUES))
        server.start()
        for value in VALUES:
            done = subprocess.run([f'{ROOT}/usr/bin/{command[0]}', *command[1:]], env=ENVIRONMENT, text=True,
                                  capture_output=True, check=True)
            print(f'{tool} prints {value} as {done.stdout.strip()}')
        server.join()
        service.driver('ReleaseName', 's', SERVICE)
PYTHON
as_described <<'TEXT'
busctl prints 1764504000.25 as d 1.7645e+09
busctl prints 1764504050.25 as d 1.7645e+09
busctl prints inf as d inf
busctl prints nan as d nan
busctl --json prints 1764504000.25 as {"type":"d","data":[1.764504000250000000000e+09]}
busctl --json prints 1764504050.25 as {"type":"d","data":[1.764504050250000000000e+09]}
busctl --json prints inf as {"type":"d","data":[null]}
busctl --json prints nan as {"type":"d","data":[null]}
dbus-send prints 1764504000.25 as double 1.7645e+09
dbus-send prints 1764504050.25 as double 1.7645e+09
dbus-send prints inf as double inf
dbus-send prints nan as double nan
gdbus prints 1764504000.25 as (1764504000.25,)
gdbus prints 1764504050.25 as (1764504050.25,)
gdbus prints inf as (inf,)
gdbus prints nan as (nan,)
TEXT
