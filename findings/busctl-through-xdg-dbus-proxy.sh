#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# sd-bus cannot log in through xdg-dbus-proxy 0.1.4; libdbus and GDBus can.
#
# Guess: a proxy that lets everything pass makes no difference to any client that the bus itself accepts. All three libraries
# speak the same login: AUTH, NEGOTIATE_UNIX_FD, BEGIN.
#
# What happens: libdbus and GDBus wait for the answer to each line. sd-bus sends all lines in one go, BEGIN included, and the
# bus takes that. The proxy reads BEGIN, and expects messages in both directions from there on. The answers of the bus
# to the lines before are still to come: the proxy reads "OK ..." as the header of a message, says "Invalid message header
# read", and closes the connection. busctl says "Transport endpoint is not connected". A raw client shows that the one write is
# the cause: with the same lines one by one it gets in.
#
# For a tester of a bus: a login has two forms, the dialogue and the pipeline, and each party on the way must be tried with
# both. The end of the login is not the same moment in the two directions.
#
# Our project: docs/dbus.md has busctl and gdbus among the clients of the bus master, so it must take both forms.
. "$(dirname "$0")/lib/finding.sh"

debian dbus-daemon=1.14.10-1~deb12u1 dbus-bin=1.14.10-1~deb12u1 libdbus-1-3=1.14.10-1~deb12u1 \
	libapparmor1=3.0.8-3 libexpat1=2.5.0-1+deb12u5 \
	systemd=252.39-1~deb12u2 libsystemd-shared=252.39-1~deb12u2 libkmod2=30+20221128-1 libip4tc2=1.8.9-2 libssl3=3.0.22-1~deb12u2 \
	libglib2.0-bin=2.74.6-2+deb12u9 libglib2.0-0=2.74.6-2+deb12u9 xdg-dbus-proxy=0.1.4-3+deb12u2
guess 'busctl, gdbus and dbus-send all reach the bus, straight and through the proxy'
observe python3 - <<'PYTHON'
import os
import socket
import subprocess
from bus import DRIVER, ENVIRONMENT, ROOT, dbus_daemon, process
from wire import CALL, DESTINATION, INTERFACE, MEMBER, PATH, encode

DRIVER_PATH = '/org/freedesktop/DBus'
HELLO = encode(CALL, 1, {PATH: DRIVER_PATH, INTERFACE: DRIVER, MEMBER: 'Hello', DESTINATION: DRIVER})
LINES = [b'\0AUTH EXTERNAL ' + str(os.getuid()).encode().hex().encode() + b'\r\n', b'NEGOTIATE_UNIX_FD\r\n', b'BEGIN\r\n' + HELLO]


def raw(path, writes):
    """How a client fares that makes these writes, and waits for an answer after each."""
    with socket.socket(socket.AF_UNIX) as stream:
        stream.settimeout(10)
        stream.connect(path)
        answers = b''
        for data in writes:
            stream.sendall(data)
            answers = stream.recv(4096)
        while answers and b'NameAcquired' not in answers:
            answers = stream.recv(4096)
    return 'logs in' if answers else 'is cut off'


def tools(address):
    yield 'dbus-send', ['--bus=' + address, '--print-reply', '--dest=' + DRIVER, DRIVER_PATH, DRIVER + '.GetId']
    yield 'gdbus', ['call', '--address', address, '-d', DRIVER, '-o', DRIVER_PATH, '-m', DRIVER + '.GetId']
    yield 'busctl', ['--address=' + address, 'call', DRIVER, DRIVER_PATH, DRIVER, 'GetId']


def attempt(label, path):
    for tool, arguments in tools('unix:path=' + path):
        command = [f'{ROOT}/usr/bin/{tool}', *arguments]
        done = subprocess.run(command, env=ENVIRONMENT, text=True, capture_output=True, check=False)
        print(f'{label}: {tool}', 'works' if done.returncode == 0 else 'says: ' + done.stderr.strip())
    print(f'{label}: a raw client that writes line by line', raw(path, LINES))
    print(f'{label}: a raw client that writes all at once', raw(path, [b''.join(LINES)]))


with dbus_daemon() as path:
    attempt('straight', path)
    ready, theirs = os.pipe()
    command = [ROOT + '/usr/bin/xdg-dbus-proxy', f'--fd={theirs}', 'unix:path=' + path, path + '-proxy']
    with open(path + '-log', 'w+', encoding='utf-8') as log:
        with process(command, pass_fds=[theirs], stderr=log):
            os.read(ready, 1)
            attempt('proxy', path + '-proxy')
        log.seek(0)
        print('the log of the proxy:', *(line.rsplit(': ', 1)[1].strip() + ';' for line in log if 'WARNING' in line))
PYTHON
as_described <<'TEXT'
straight: dbus-send works
straight: gdbus works
straight: busctl works
straight: a raw client that writes line by line logs in
straight: a raw client that writes all at once logs in
proxy: dbus-send works
proxy: gdbus works
proxy: busctl says: Call failed: Transport endpoint is not connected
proxy: a raw client that writes line by line logs in
proxy: a raw client that writes all at once is cut off
the log of the proxy: Invalid message header read; Invalid message header read;
TEXT
