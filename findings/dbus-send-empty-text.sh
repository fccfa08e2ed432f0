#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# dbus-send drops empty texts out of arrays and dictionaries, and what follows them moves up: keys become values.
#
# Guess: array:string:a,,b is an array of three texts, the second of them empty. dict:string:string:a,,b, is a dictionary in
# which the keys a and b have empty values. If an empty text cannot be expressed, dbus-send says so.
#
# What happens: the array has two elements. The dictionary has one entry, "a" with the value "b": a key has become the value of
# its neighbour. dbus-send splits lists with strtok(), to which several commas are one (append_array() and append_dict() in
# tools/dbus-send.c of 1.14.10). It exits 0, and the message is valid. A single text may be empty: string: sends ''.
#
# For a tester of a bus: a shell test that builds such a list from variables sends another message as soon as one variable is
# empty, and nothing fails at the sender. Check what arrived, not the exit code, and pass containers by another tool.
#
# Our project: a topology writes arguments as YAML, where '' is an element like any other.
. "$(dirname "$0")/lib/finding.sh"

debian dbus-daemon=1.14.10-1~deb12u1 dbus-bin=1.14.10-1~deb12u1 \
	libdbus-1-3=1.14.10-1~deb12u1 libapparmor1=3.0.8-3 libexpat1=2.5.0-1+deb12u5
guess "['a', '', 'b'] and {'a': '', 'b': ''} arrive"
observe python3 - <<'PYTHON'
import subprocess
from bus import ENVIRONMENT, ROOT, Client, dbus_daemon
from wire import SIGNATURE

with dbus_daemon() as path:
    receiver = Client.connect(path)
    for argument in ('string:', 'array:string:a,,b', 'dict:string:string:a,,b,'):
        options = ['--bus=unix:path=' + path, '--dest=' + receiver.name]
        command = [ROOT + '/usr/bin/dbus-send', *options, '/a', 'org.example.A.Changed', argument]
        exit_code = subprocess.run(command, env=ENVIRONMENT, check=False).returncode
        (message,) = receiver.arrived()
        print(f'dbus-send … {argument} exits {exit_code}; what arrives is "{message[SIGNATURE]}": {message.body[0]!r}')
PYTHON
as_described <<'TEXT'
dbus-send … string: exits 0; what arrives is "s": ''
dbus-send … array:string:a,,b exits 0; what arrives is "as": ['a', 'b']
dbus-send … dict:string:string:a,,b, exits 0; what arrives is "a{ss}": [('a', 'b')]
TEXT
