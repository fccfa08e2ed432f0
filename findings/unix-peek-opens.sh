#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# AF_UNIX: each look at a message with MSG_PEEK opens its descriptors once more, in the reader's process.
#
# Guess: MSG_PEEK looks at a message and leaves all as it is. The descriptors that come with it (SCM_RIGHTS) are handed over
# once, when the message is taken out of the queue.
#
# What happens: a look that gives room for control messages gets descriptors of its own each time, as many as the message has,
# on streams, datagrams and sequenced packets alike. The message keeps its own as well: taking it opens them again. A look
# without room for control messages opens none. Seen on 6.1, 6.12 and 6.18.
#
# For a tester of a bus: a reader that looks at the length of a message before it makes room for it must give the look no
# room for control messages, or close what the look has opened. Else each message with descriptors leaks them. And the end of
# file that a test waits for, as proof that a descriptor was closed, never comes.
#
# Our project: AF_BUS does the same, for programs that expect it; the binding looks without room for control messages.
. "$(dirname "$0")/lib/finding.sh"

this_kernel
guess 'three looks open nothing, and taking the message opens its one descriptor'
observe python3 - <<'PYTHON'
import array
import os
import socket

ROOM = socket.CMSG_SPACE(4)


def opened(act):
    before = set(os.listdir('/proc/self/fd'))
    act()
    return len(set(os.listdir('/proc/self/fd')) - before)


for name in ('SOCK_STREAM', 'SOCK_DGRAM', 'SOCK_SEQPACKET'):
    sender, reader = socket.socketpair(socket.AF_UNIX, getattr(socket, name))
    end, _ = os.pipe()
    sender.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [end]))])
    without = opened(lambda: [reader.recvmsg(1, 0, socket.MSG_PEEK) for _ in range(3)])
    looks = opened(lambda: [reader.recvmsg(1, ROOM, socket.MSG_PEEK) for _ in range(3)])
    taken = opened(lambda: reader.recvmsg(1, ROOM))
    print(f'{name}: three looks without room open {without}, three with room {looks}, taking the message {taken} more')
PYTHON
as_described <<'TEXT'
SOCK_STREAM: three looks without room open 0, three with room 3, taking the message 1 more
SOCK_DGRAM: three looks without room open 0, three with room 3, taking the message 1 more
SOCK_SEQPACKET: three looks without room open 0, three with room 3, taking the message 1 more
TEXT
