#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# dbus-daemon answers signals, and even answers, with an error if nobody owns their destination.
#
# Guess: only a method call has an answer. A signal or a reply to a name that nobody owns disappears, as a signal does that nobody
# has a rule for.
#
# What happens: dbus-daemon sends ServiceUnknown back to the sender, with the serial of the signal, of the reply, or of the error
# as its REPLY_SERIAL. So a service whose caller has left gets an error for an answer
# it gave, and a client can find a reply to something that it never called. dbus-broker drops all three without a word.
#
# For a tester of a bus: a client that treats a reply to a serial it does not wait for as a broken bus fails with dbus-daemon
# if it answers a caller that has just died; a client that counts on the error to notice that a listener is gone never notices
# it with dbus-broker. Try all four types of message towards a name that nobody owns.
#
# Our project: the bus master does what dbus-daemon does (docs/dbus.md).
. "$(dirname "$0")/lib/finding.sh"

debian dbus-daemon=1.14.10-1~deb12u1 dbus-broker=33-1 \
	libdbus-1-3=1.14.10-1~deb12u1 libapparmor1=3.0.8-3 libexpat1=2.5.0-1+deb12u5
guess 'on both buses only the call is answered'
observe python3 - <<'PYTHON'
from bus import CALL, DESTINATION, ERROR, ERROR_NAME, INTERFACE, MEMBER, PATH, REPLY_SERIAL, RETURN, SIGNAL
from bus import Client, dbus_broker, dbus_daemon, refusal

HERE = {PATH: '/job', INTERFACE: 'org.example.Job', MEMBER: 'Done'}
MESSAGES = (('a call', CALL, HERE), ('a signal', SIGNAL, HERE), ('a reply', RETURN, {REPLY_SERIAL: 77}),
            ('an error', ERROR, {REPLY_SERIAL: 78, ERROR_NAME: 'org.example.Failed'}))

for name, bus in (('dbus-daemon', dbus_daemon), ('dbus-broker', dbus_broker)):
    with bus() as path:
        client = Client.connect(path)
        for text, kind, fields in MESSAGES:
            client.unread = []
            serial = client.send(kind, {**fields, DESTINATION: 'org.example.Nobody'})
            client.fence()
            answers = [refusal(m) for m in client.unread if m.kind == ERROR and m[REPLY_SERIAL] == serial]
            print(f'{name}: {text} to a name of nobody is answered:', ', '.join(answers) or 'no')
PYTHON
as_described <<'TEXT'
dbus-daemon: a call to a name of nobody is answered: ServiceUnknown
dbus-daemon: a signal to a name of nobody is answered: ServiceUnknown
dbus-daemon: a reply to a name of nobody is answered: ServiceUnknown
dbus-daemon: an error to a name of nobody is answered: ServiceUnknown
dbus-broker: a call to a name of nobody is answered: ServiceUnknown
dbus-broker: a signal to a name of nobody is answered: no
dbus-broker: a reply to a name of nobody is answered: no
dbus-broker: an error to a name of nobody is answered: no
TEXT
