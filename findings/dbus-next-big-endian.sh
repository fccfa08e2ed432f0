#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# dbus-next (npm) swaps the halves of 64-bit integers that come in big-endian messages.
#
# Guess: a library that reads both byte orders reads every type in both. If it did not, it would refuse a big-endian message, or
# all numbers in it would be wrong.
#
# What happens: dbus-next 0.10.2 reads the header, texts, doubles and smaller integers of a big-endian message correctly. It
# reads a 64-bit integer as two words and takes the first for the lower one in either byte order (readSimpleType() in
# lib/dbus-buffer.js, types x and t). 5 arrives as 21474836480. Values with equal halves survive, such as -1. There is no error.
#
# For a tester of a bus: a bus passes messages on in the sender's byte order, so that this is the client's concern, and nobody
# sees it while all machines are little-endian. Send every type in both orders, with values in which all bytes differ: 0 and -1
# pass here.
#
# Our project: the topology language has "endian: big", and the kernel's matcher reads both byte orders.
. "$(dirname "$0")/lib/finding.sh"

debian dbus-daemon=1.14.10-1~deb12u1 libdbus-1-3=1.14.10-1~deb12u1 libapparmor1=3.0.8-3 libexpat1=2.5.0-1+deb12u5
npm_packages dbus-next@0.10.2
guess 'the same values in both byte orders'
cat >"$tmp/listen.cjs" <<'NODE'
const { sessionBus } = require('dbus-next');
const bus = sessionBus({ busAddress: process.argv[2] });
bus.on('message', ({ member, body }) => {
  if (member === 'Values') console.log(body.join(' '));
  if (member === 'End') process.exit();
});
bus.on('connect', () => console.log(bus.name));
NODE
observe python3 - <<'PYTHON'
import os
import subprocess
from bus import ROOT, Client, dbus_daemon, process

with dbus_daemon() as path:
    senders = [('little-endian', Client.connect(path, '<')), ('big-endian', Client.connect(path, '>'))]
    values = [258, 16909060, 'text', 1.5, 5, 5 << 40, -1]
    print('sent:         ', *values)
    command = ['node', os.path.dirname(ROOT) + '/listen.cjs', 'unix:path=' + path]
    with process(command, stdout=subprocess.PIPE, text=True) as listener:
        name = listener.stdout.readline().strip()
        for label, sender in senders:
            sender.signal('/a', 'org.example.A', 'Values', 'qusdxtx', *values, to=name)
            print(f'{label + ":":14}', listener.stdout.readline().strip())
PYTHON
as_described <<'TEXT'
sent:          258 16909060 text 1.5 5 5497558138880 -1
little-endian: 258 16909060 text 1.5 5 5497558138880 -1
big-endian:    258 16909060 text 1.5 21474836480 1280 -1
TEXT
