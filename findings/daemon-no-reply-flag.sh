#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# dbus-daemon: NO_REPLY_EXPECTED silences AddMatch and RemoveMatch only, and only if they succeed.
#
# Guess: a method of org.freedesktop.DBus that is called with the flag NO_REPLY_EXPECTED gives no answer, neither a return nor an
# error, as the specification wants it.
#
# What happens: dbus-broker 33 stays silent. dbus-daemon 1.14.10 answers the calls that have a result, and all that fail. Its
# driver looks at the flag in one place alone, bus_driver_send_ack_reply() in bus/driver.c, which makes the empty answers. So an
# AddMatch with a good rule is silent, and one with a bad rule is not.
#
# For a tester of a bus: a client that sends with the flag and then takes the next message for something else is wrong on one
# of the two buses, and a client that waits for an answer is wrong on the other. "No answer came" cannot be the check of such a
# call; send a Ping after it, and look at what came before its answer.
#
# Our project: docs/dbus.md takes the specification as the rule for the bus master, which has to stay silent therefore.
. "$(dirname "$0")/lib/finding.sh"

debian dbus-daemon=1.14.10-1~deb12u1 dbus-broker=33-1 \
	libdbus-1-3=1.14.10-1~deb12u1 libapparmor1=3.0.8-3 libexpat1=2.5.0-1+deb12u5
guess 'no call with NO_REPLY_EXPECTED is answered'
observe python3 - <<'PYTHON'
from bus import DRIVER, Client, dbus_broker, dbus_daemon, refusal
from wire import CALL, DESTINATION, INTERFACE, MEMBER, PATH, REPLY_SERIAL

RULE = "type='signal',interface='org.example.A'"
CALLS = [('AddMatch', 's', RULE), ('RemoveMatch', 's', RULE), ('AddMatch', 's', 'no rule'), ('GetId', ''),
         ('RequestName', 'su', 'org.example.A', 0), ('GetNameOwner', 's', 'org.example.Nobody')]
for name, bus in (('dbus-daemon', dbus_daemon), ('dbus-broker', dbus_broker)):
    with bus() as path:
        client = Client.connect(path)
        for member, signature, *arguments in CALLS:
            fields = {PATH: '/org/freedesktop/DBus', INTERFACE: DRIVER, MEMBER: member, DESTINATION: DRIVER}
            serial = client.send(CALL, fields, signature, arguments, flags=1)
            client.fence()
            answers = [refusal(m) or 'a return' for m in client.unread if m[REPLY_SERIAL] == serial]
            print(f'{name}: {member}({", ".join(map(repr, arguments))}):', *answers or ['silence'])
PYTHON
as_described <<'TEXT'
dbus-daemon: AddMatch("type='signal',interface='org.example.A'"): silence
dbus-daemon: RemoveMatch("type='signal',interface='org.example.A'"): silence
dbus-daemon: AddMatch('no rule'): MatchRuleInvalid
dbus-daemon: GetId(): a return
dbus-daemon: RequestName('org.example.A', 0): a return
dbus-daemon: GetNameOwner('org.example.Nobody'): NameHasNoOwner
dbus-broker: AddMatch("type='signal',interface='org.example.A'"): silence
dbus-broker: RemoveMatch("type='signal',interface='org.example.A'"): silence
dbus-broker: AddMatch('no rule'): silence
dbus-broker: GetId(): silence
dbus-broker: RequestName('org.example.A', 0): silence
dbus-broker: GetNameOwner('org.example.Nobody'): silence
TEXT
