#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# GDBusProxy asks the bus to start a service that runs, and lives on the bus's answer that there is no such service.
#
# Guess: a proxy for a name that has an owner asks who the owner is. StartServiceByName is for names without one; of a service
# that runs, the bus answers DBUS_START_REPLY_ALREADY_RUNNING. A bus where nobody may start anything does no harm to clients of
# running services.
#
# What happens: GDBusProxy (GLib 2.74) begins with StartServiceByName in any case. dbus-daemon answers ServiceUnknown: it looks
# for a service file first, and a service that was started by hand has none. GLib takes that for "start nothing and go on", and
# only then asks for the owner. That error is the good case: under a policy that denies StartServiceByName the answer is
# AccessDenied, and the proxy for the running service cannot be made. With DO_NOT_AUTO_START it can.
#
# For a tester of a bus: StartServiceByName is no luxury that a small bus may lack, not even one that starts nothing. It must
# answer, and the answer for a name it cannot start must be ServiceUnknown, whether the name has an owner or not.
#
# Our project: docs/dbus.md has StartServiceByName among the methods that the bus master must answer.
. "$(dirname "$0")/lib/finding.sh"

debian dbus-daemon=1.14.10-1~deb12u1 libdbus-1-3=1.14.10-1~deb12u1 libapparmor1=3.0.8-3 libexpat1=2.5.0-1+deb12u5 \
	python3-gi=3.42.2-3+b1 libgirepository-1.0-1=1.74.0-3 gir1.2-glib-2.0=1.74.0-3 libglib2.0-0=2.74.6-2+deb12u9
guess 'a proxy for a running service can be made under both policies, without StartServiceByName'
cat >"$tmp/proxy.py" <<'PYTHON'
import sys
from gi.repository import Gio, GLib

login = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
connection = Gio.DBusConnection.new_for_address_sync('unix:path=' + sys.argv[1], login, None, None)
flags = Gio.DBusProxyFlags.DO_NOT_LOAD_PROPERTIES | Gio.DBusProxyFlags.DO_NOT_CONNECT_SIGNALS
start_nothing = Gio.DBusProxyFlags.DO_NOT_AUTO_START
for label, more in (('a proxy', flags), ('a proxy with DO_NOT_AUTO_START', start_nothing)):
    try:
        proxy = Gio.DBusProxy.new_sync(connection, flags | more, None, 'org.example.A', '/a', 'org.example.A', None)
        print(f'  {label}: made, for the owner {proxy.get_name_owner()}')
    except GLib.Error as error:
        print(f'  {label}: refused, {Gio.DBusError.get_remote_error(error)}')
PYTHON
observe /usr/bin/python3 - <<'PYTHON'
import os
import subprocess
from bus import DRIVER, ENVIRONMENT, ROOT, Client, dbus_daemon, refusal
from wire import CALL, DESTINATION, MEMBER, REPLY_SERIAL, SENDER

gi = {**ENVIRONMENT, 'PYTHONPATH': ROOT + '/usr/lib/python3/dist-packages',
      'GI_TYPELIB_PATH': ROOT + '/usr/lib/x86_64-linux-gnu/girepository-1.0'}
program = os.path.dirname(ROOT) + '/proxy.py'
DENIED = f'<deny send_destination="{DRIVER}" send_interface="{DRIVER}" send_member="StartServiceByName"/>'
for label, policy in (('dbus-daemon', ''), ('dbus-daemon that denies StartServiceByName', DENIED)):
    with dbus_daemon(policy) as path:
        service, monitor = Client.connect(path), Client.connect(path)
        service.driver('RequestName', 'su', 'org.example.A', 0)
        monitor.call(DRIVER, '/org/freedesktop/DBus', DRIVER + '.Monitoring', 'BecomeMonitor', 'asu', [], 0)
        print(f'{label}; org.example.A is owned by {service.name}')
        subprocess.run(['/usr/bin/python3', program, path], env=gi, check=True)
        service.signal('/a', 'org.example.A', 'End')
        calls = {}
        while (message := monitor.read())[MEMBER] != 'End':
            if message.kind == CALL and message[MEMBER] in ('StartServiceByName', 'GetNameOwner'):
                calls[message[SENDER], message.serial] = f'{message[MEMBER]}({message.body[0]})'
            elif calls.get((message[DESTINATION], message[REPLY_SERIAL])):
                print('  seen on the bus:', calls[message[DESTINATION], message[REPLY_SERIAL]], '->', refusal(message) or message.body[0])
PYTHON
as_described <<'TEXT'
dbus-daemon; org.example.A is owned by :1.0
  a proxy: made, for the owner :1.0
  a proxy with DO_NOT_AUTO_START: made, for the owner :1.0
  seen on the bus: StartServiceByName(org.example.A) -> ServiceUnknown
  seen on the bus: GetNameOwner(org.example.A) -> :1.0
  seen on the bus: GetNameOwner(org.example.A) -> :1.0
dbus-daemon that denies StartServiceByName; org.example.A is owned by :1.0
  a proxy: refused, org.freedesktop.DBus.Error.AccessDenied
  a proxy with DO_NOT_AUTO_START: made, for the owner :1.0
  seen on the bus: StartServiceByName(org.example.A) -> AccessDenied
  seen on the bus: GetNameOwner(org.example.A) -> :1.0
TEXT
