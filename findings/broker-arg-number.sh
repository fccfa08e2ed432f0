#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# dbus-broker: argN in a match rule looks at the type of argument 0.
#
# Guess: arg3='/done' matches a signal whose argument 3 is that string, whatever the arguments before it are. An object path
# with the same text in place 3 does not match: the specification compares argN with strings only.
#
# What happens: dbus-daemon does that. dbus-broker 33 asks for a string in place 0 instead. If argument 0 is an integer, a rule
# on argument 3 never matches, although argument 3 is a string. If argument 0 is a string, argument 3 may be an object path. The
# bus accepts the rule in any case, so nothing tells the client why it hears nothing.
#
# For a tester of a bus: a client that waits for one result of a job by a rule on argument 3 works where the bus is dbus-daemon,
# and waits for ever where it is dbus-broker, if the signal begins with the number of the job. Test argN with every type in
# place 0, not only with NameOwnerChanged, where all arguments are strings.
#
# Our project: the kernel's matcher and the model look at the argument that the rule names, and argN takes strings only.
. "$(dirname "$0")/lib/finding.sh"

debian dbus-daemon=1.14.10-1~deb12u1 dbus-broker=33-1 \
	libdbus-1-3=1.14.10-1~deb12u1 libapparmor1=3.0.8-3 libexpat1=2.5.0-1+deb12u5
guess "on both buses the rule delivers 'uoss' and 'soss', and not 'soso'"
observe python3 - <<'PYTHON'
from bus import Client, dbus_broker, dbus_daemon, refusal

RULE = "type='signal',arg3='/done'"
for name, bus in (('dbus-daemon', dbus_daemon), ('dbus-broker', dbus_broker)):
    with bus() as path:
        sender, receiver = Client.connect(path), Client.connect(path)
        print(f'{name}: {RULE} is', refusal(receiver.driver('AddMatch', 's', RULE)) or 'accepted')
        for signature, first in (('uoss', 7), ('soss', '7'), ('soso', '7')):
            sender.signal('/manager', 'org.example.Manager', 'JobRemoved', signature, first, '/job', 'a.service', '/done')
            print(f"  signal '{signature}' with \"/done\" in place 3:", 'delivered' if receiver.arrived() else 'not delivered')
PYTHON
as_described <<'TEXT'
dbus-daemon: type='signal',arg3='/done' is accepted
  signal 'uoss' with "/done" in place 3: delivered
  signal 'soss' with "/done" in place 3: delivered
  signal 'soso' with "/done" in place 3: not delivered
dbus-broker: type='signal',arg3='/done' is accepted
  signal 'uoss' with "/done" in place 3: not delivered
  signal 'soss' with "/done" in place 3: delivered
  signal 'soso' with "/done" in place 3: delivered
TEXT
