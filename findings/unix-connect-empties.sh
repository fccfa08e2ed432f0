#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# AF_UNIX: connect() to another peer empties the queue of a datagram socket, whoever sent what is in it.
#
# Guess: connect() on a datagram socket sets where it sends to and whom it hears from then on. What has arrived before stays to
# be read, as with UDP, where programs must expect datagrams that came before connect(). AF_UNIX is reliable: a datagram whose
# send succeeded is lost only if its receiver goes.
#
# What happens: the first connect() keeps the queue. A connect() from one peer to another, or to AF_UNSPEC, throws the
# whole queue away: messages of the old peer, of the new one, and of third parties who sent before the socket had a peer. Each of
# those sends had returned its length. A sender hears ECONNRESET only if it is connected to this socket in turn; a sender by
# sendto() hears nothing. A connect() to the same peer again, and one that fails, keep the queue. UDP keeps it in every case.
#
# For a tester of a bus: "reliable" has to be tested across a change of peer, not only across death and overflow. A client that
# moves to the new socket of a restarted peer throws its own unread messages away by that.
#
# Our project: a client of AF_BUS has one bus for life: a second connect() is an error, and its queue stays (docs/af_bus.md,
# section 2).
. "$(dirname "$0")/lib/finding.sh"

this_kernel
guess 'every datagram that was sent before connect() is there after it, in both families'
observe python3 - <<'PYTHON'
import ctypes
import os
import socket
import struct

NOWHERE = struct.pack('H14x', socket.AF_UNSPEC)
libc = ctypes.CDLL(None, use_errno=True)


def bound(family, name):
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.bind(f'\0{os.getpid()}/{name}' if family == socket.AF_UNIX else ('127.0.0.1', 0))
    made.setblocking(False)
    return made


def unread(receiver):
    texts = []
    try:
        while True:
            texts.append(receiver.recv(100).decode())
    except BlockingIOError:
        return ', '.join(texts) or 'nothing'


def attempt(family, change):
    """What is there to be read after `change`, if two peers and, before all, a stranger sent something."""
    receiver, old, new, stranger = (bound(family, change + role) for role in ('receiver', 'old', 'new', 'stranger'))
    if change == 'a first peer':
        for sender, text in ((old, 'of the peer'), (stranger, 'of a stranger')):
            sender.sendto(text.encode(), receiver.getsockname())
        receiver.connect(old.getsockname())
        return unread(receiver)
    for sender, text in ((new, 'of the new peer'), (stranger, 'of a stranger')):
        sender.sendto(text.encode(), receiver.getsockname())
    receiver.connect(old.getsockname())
    old.sendto(b'of the old peer', receiver.getsockname())
    if change == 'the same peer':
        receiver.connect(old.getsockname())
    elif change == 'another peer':
        receiver.connect(new.getsockname())
    else:
        assert libc.connect(receiver.fileno(), NOWHERE, len(NOWHERE)) == 0
    return unread(receiver)


for family in (socket.AF_UNIX, socket.AF_INET):
    for change in ('a first peer', 'the same peer', 'another peer', 'no peer'):
        print(f'{family.name}, connect() to {change} leaves: {attempt(family, change)}')
PYTHON
as_described <<'TEXT'
AF_UNIX, connect() to a first peer leaves: of the peer, of a stranger
AF_UNIX, connect() to the same peer leaves: of the new peer, of a stranger, of the old peer
AF_UNIX, connect() to another peer leaves: nothing
AF_UNIX, connect() to no peer leaves: nothing
AF_INET, connect() to a first peer leaves: of the peer, of a stranger
AF_INET, connect() to the same peer leaves: of the new peer, of a stranger, of the old peer
AF_INET, connect() to another peer leaves: of the new peer, of a stranger, of the old peer
AF_INET, connect() to no peer leaves: of the new peer, of a stranger, of the old peer
TEXT
