#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# QEMU: a forwarded port accepts connections and data for a guest that does not listen, and even for no guest.
#
# Guess: hostfwd behaves like a port of the guest. While nobody listens there, connect() is refused or waits; when it succeeds,
# the server in the guest is up.
#
# What happens: QEMU itself accepts on the host, at once, and tries to reach the guest only then. connect() succeeds and send()
# takes data while the virtual machine has no network card, no memory and no processor at all. QEMU's own table has these
# connections in the state SYN_SENT, since nobody answers. Nothing tells the client: it just gets no answer.
#
# For a tester of a bus: "wait until the port is open", the usual question whether a machine is up, is answered yes before the
# machine has started. Wait for a first answer of the protocol. A client with no time limit for that first answer waits for
# a guest that may never listen.
#
# Our project: the AF_BUS host is up when its engine has answered over TLS (docs/decisions/host.md).
. "$(dirname "$0")/lib/finding.sh"

debian qemu-system-x86=1:7.2+dfsg-7+deb12u18+b3 qemu-system-common=1:7.2+dfsg-7+deb12u18+b3 libslirp0=4.7.0-1 libfdt1=1.6.1-4+b1 libaio1=0.3.113-4 libbpf1=1:1.1.2-0+deb12u1 \
	libcapstone4=4.0.2-5 libdaxctl1=76.1-1 libfuse3-3=3.14.0-4 libglib2.0-0=2.74.6-2+deb12u9 libgnutls30=3.7.9-2+deb12u7 \
	libibverbs1=44.0-2 libjpeg62-turbo=1:2.1.5-2 libkmod2=30+20221128-1 libndctl6=76.1-1 libnl-3-200=3.7.0-0.2+b1 \
	libnl-route-3-200=3.7.0-0.2+b1 libnuma1=2.0.16-1 libpixman-1-0=0.42.2-1 libpmem1=1.12.1-2 libpng16-16=1.6.39-2+deb12u6 \
	librdmacm1=44.0-2 libsasl2-2=2.1.28+dfsg-10+deb12u1 libseccomp2=2.5.4-1+deb12u1 liburing2=2.3-3 libvdeplug2=4.0.1-4
guess 'connection refused, as there is no guest'
observe python3 - <<'PYTHON'
import os
import re
import socket
import subprocess
import sys

ROOT = os.environ['ROOT']
ENVIRONMENT = {**os.environ, 'LD_LIBRARY_PATH': os.environ['LIBRARIES'], 'QEMU_MODULE_DIR': ROOT + '/usr/lib/x86_64-linux-gnu/qemu'}
QEMU = [ROOT + '/usr/bin/qemu-system-x86_64', '-machine', 'none', '-nodefaults', '-display', 'none',
        '-monitor', 'stdio', '-netdev', 'user,id=net,hostfwd=tcp:127.0.0.1:0-:22']


def answer(monitor, command=''):
    """What the monitor says to a command, up to its next prompt."""
    if command:
        print(command, file=monitor.stdin, flush=True)
    text = ''
    while not text.endswith('\n(qemu) '):
        text += monitor.stdout.read(1) or sys.exit('QEMU has ended')
    return text


with subprocess.Popen(QEMU, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as monitor:
    answer(monitor)
    port = int(re.search(r'HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)', answer(monitor, 'info usernet'))[1])
    with socket.create_connection(('127.0.0.1', port), timeout=20) as client:
        print('connect() succeeds; send() takes', client.send(b'SSH-2.0-client\r\n'), 'bytes')
        print('state of the connection in QEMU:', re.search(r'TCP\[(SYN_SENT|ESTABLISHED)\]', answer(monitor, 'info usernet'))[1])
        client.setblocking(False)
        try:
            print('an answer:', client.recv(100))
        except BlockingIOError:
            print('no answer, and no error')
    monitor.communicate('quit\n')
PYTHON
as_described <<'TEXT'
connect() succeeds; send() takes 16 bytes
state of the connection in QEMU: SYN_SENT
no answer, and no error
TEXT
