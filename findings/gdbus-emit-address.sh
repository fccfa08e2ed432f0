#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# gdbus emit --address says nothing, ends with 0, and its signal reaches nobody; with --session it does.
#
# Guess: --address ADDRESS is --session for a bus that is not in the environment. `gdbus call --address` works so.
#
# What happens: gdbus says Hello only if the command needs a message bus, and emit needs one only with --dest. Without it gdbus takes
# the address for that of a single peer: it logs in, writes the signal, and ends with 0. A bus does not take messages of
# somebody who has not said Hello. The same signal arrives with --session, and with --dest.
#
# For a tester of a bus: a broadcast that never arrived looks like a fault of the bus or of its match rules. Put the address into
# DBUS_SESSION_BUS_ADDRESS instead.
#
# Our project: programs in a topology get that variable; docs/cookbook-dbus.md warns of --address.
. "$(dirname "$0")/lib/finding.sh"

debian dbus-daemon=1.14.10-1~deb12u1 dbus-broker=33-1 libdbus-1-3=1.14.10-1~deb12u1 \
	libapparmor1=3.0.8-3 libexpat1=2.5.0-1+deb12u5 libglib2.0-bin=2.74.6-2+deb12u9 libglib2.0-0=2.74.6-2+deb12u9
guess 'all three signals arrive'
observe python3 - <<'PYTHON'
import subprocess
from bus import ENVIRONMENT, ROOT, Client, dbus_broker, dbus_daemon

GDBUS, SIGNAL = ROOT + '/usr/bin/gdbus', ['--object-path', '/a', '--signal', 'org.example.A.Changed']
for name, bus in (('dbus-daemon', dbus_daemon), ('dbus-broker', dbus_broker)):
    with bus() as path:
        receiver, address = Client.connect(path), 'unix:path=' + path
        receiver.driver('AddMatch', 's', "interface='org.example.A'")
        for how in (['--session'], ['--address', address], ['--address', address, '--dest', receiver.name]):
            done = subprocess.run([GDBUS, 'emit', *how, *SIGNAL], env={**ENVIRONMENT, 'DBUS_SESSION_BUS_ADDRESS': address})
            for _ in range(3):  # The bus serves all that are ready before it serves one of them again.
                receiver.fence()
            came = 'arrives' if receiver.arrived() else 'does not arrive'
            print(f"{name}, {' '.join(each for each in how if each.startswith('--'))}: exit {done.returncode}, {came}")
PYTHON
as_described <<'TEXT'
dbus-daemon, --session: exit 0, arrives
dbus-daemon, --address: exit 0, does not arrive
dbus-daemon, --address --dest: exit 0, arrives
dbus-broker, --session: exit 0, arrives
dbus-broker, --address: exit 0, does not arrive
dbus-broker, --address --dest: exit 0, arrives
TEXT
