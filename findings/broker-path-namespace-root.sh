#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# dbus-broker: path_namespace='/' matches the root object and nothing below it.
#
# Guess: path_namespace='/' is the widest of all namespaces: a namespace is a path and all paths below it, and every object path
# is below the root.
#
# What happens: dbus-daemon delivers signals of every path. dbus-broker 33 accepts the rule and delivers those of the path "/"
# alone. A longer namespace works as expected.
#
# For a tester of a bus: the root is the one path that ends in a slash, so it is a case of its own in every comparison of
# paths. A client that watches all objects of a service, and names the service as the sender, writes this very rule.
#
# Our project: the kernel's matcher and the model let every path match path_namespace='/'.
. "$(dirname "$0")/lib/finding.sh"

debian dbus-daemon=1.14.10-1~deb12u1 dbus-broker=33-1 \
	libdbus-1-3=1.14.10-1~deb12u1 libapparmor1=3.0.8-3 libexpat1=2.5.0-1+deb12u5
guess "path_namespace='/' matches /, /a and /a/b on both buses; path_namespace='/a' matches /a and /a/b"
observe python3 - <<'PYTHON'
from bus import Client, dbus_broker, dbus_daemon, refusal

for name, bus in (('dbus-daemon', dbus_daemon), ('dbus-broker', dbus_broker)):
    with bus() as path:
        sender, receiver = Client.connect(path), Client.connect(path)
        for namespace in ('/', '/a'):
            rule = f"type='signal',path_namespace='{namespace}'"
            added = refusal(receiver.driver('AddMatch', 's', rule)) or 'accepted'
            heard = []
            for at in ('/', '/a', '/a/b', '/b'):
                sender.signal(at, 'org.example.Manager', 'Changed')
                heard += [at] if receiver.arrived() else []
            receiver.driver('RemoveMatch', 's', rule)
            print(f"{name}: path_namespace='{namespace}' is {added}, delivers signals of: {' '.join(heard)}")
PYTHON
as_described <<'TEXT'
dbus-daemon: path_namespace='/' is accepted, delivers signals of: / /a /a/b /b
dbus-daemon: path_namespace='/a' is accepted, delivers signals of: /a /a/b
dbus-broker: path_namespace='/' is accepted, delivers signals of: /
dbus-broker: path_namespace='/a' is accepted, delivers signals of: /a /a/b
TEXT
