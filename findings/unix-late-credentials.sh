#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# AF_UNIX: a message that was sent before the receiver asked for credentials comes with the credentials of nobody.
#
# Guess: SO_PASSCRED is an option of the receiver. It decides, when a message is read, whether the sender's process, user and
# group come with it. A message that waits in the queue when the option is set has its sender's credentials, or has none.
#
# What happens: it has wrong ones: process 0, user and group 65534. The kernel attaches credentials when a message is sent, if
# one of the two ends asks for them at that moment or the connection is not accepted yet (maybe_add_creds() in
# net/unix/af_unix.c), and delivers credentials if the receiver asks for them when it reads. A message that was sent after
# accept() and before setsockopt() falls between the two. Earlier ones and later ones are right. Seen on 6.1, 6.12 and 6.18.
#
# For a tester of a bus: a server that sets SO_PASSCRED on each accepted socket races with its client, and now and then takes a
# good client for an unknown one. Set the option on the listening socket: accepted sockets inherit it, as the output
# shows. A test of credentials must send at each of the three moments.
#
# Our project: an AF_BUS message always keeps its sender's credentials, so they come whenever the option was set.
. "$(dirname "$0")/lib/finding.sh"

this_kernel
guess "the sender's own credentials come with all messages, or none with those that were sent before SO_PASSCRED"
observe python3 - <<'PYTHON'
import os
import socket
import struct

ME = (os.getpid(), os.getuid(), os.getgid())


def ids(receiver):
    _, ancillary, _, _ = receiver.recvmsg(1, socket.CMSG_SPACE(12))
    found = [struct.unpack('iII', data) for _, _, data in ancillary]
    return ["the sender's own" if each == ME else 'process %d, user %d, group %d' % each for each in found] or ['none']


def ask(stream):
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)


def connect(kind):
    listener, client = socket.socket(socket.AF_UNIX, kind), socket.socket(socket.AF_UNIX, kind)
    listener.bind(f'{os.environ["TMPDIR"]}/{kind}-{os.urandom(4).hex()}')
    listener.listen()
    return listener, client


for name in ('SOCK_SEQPACKET', 'SOCK_STREAM'):
    listener, client = connect(getattr(socket, name))
    client.connect(listener.getsockname())
    client.send(b'1')
    accepted, _ = listener.accept()
    client.send(b'2')
    ask(accepted)
    client.send(b'3')
    for moment in ('before accept()', 'between accept() and SO_PASSCRED', 'after SO_PASSCRED'):
        print(f'{name}, sent {moment}:', *ids(accepted))
    listener, client = connect(getattr(socket, name))
    ask(listener)
    client.connect(listener.getsockname())
    accepted, _ = listener.accept()
    client.send(b'1')
    print(f'{name}, SO_PASSCRED on the listening socket:', *ids(accepted))
PYTHON
as_described <<'TEXT'
SOCK_SEQPACKET, sent before accept(): the sender's own
SOCK_SEQPACKET, sent between accept() and SO_PASSCRED: process 0, user 65534, group 65534
SOCK_SEQPACKET, sent after SO_PASSCRED: the sender's own
SOCK_SEQPACKET, SO_PASSCRED on the listening socket: the sender's own
SOCK_STREAM, sent before accept(): the sender's own
SOCK_STREAM, sent between accept() and SO_PASSCRED: process 0, user 65534, group 65534
SOCK_STREAM, sent after SO_PASSCRED: the sender's own
SOCK_STREAM, SO_PASSCRED on the listening socket: the sender's own
TEXT
