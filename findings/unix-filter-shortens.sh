#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# AF_UNIX: a socket filter shortens messages behind the back of both ends, and streams ignore it.
#
# Guess: a BPF filter on a socket passes a message or drops it. If it passes a part only, as filters of packet sockets do, the
# receiver finds MSG_TRUNC, and the sender hears how much was taken. On a stream a filter is refused, or works.
#
# What happens: a filter that returns 3 cuts a SOCK_SEQPACKET or SOCK_DGRAM message to 3 bytes. The send returns the full
# length, and MSG_TRUNC is not set: that flag means the buffer was too small, and the queue holds only the short message by
# then. A filter that returns 0 drops the message, and the send returns the full length all the same. On a SOCK_STREAM socket
# the filter can be attached and does nothing. Seen on 6.1, 6.12 and 6.18.
#
# For a tester of a bus: "sent n bytes" and "no MSG_TRUNC" prove nothing about a receiver with a filter. The result of a filter
# is a length, so "accept" is the largest number, not 1: a filter that returns 1 for "yes" leaves the first byte.
#
# Our project: AF_BUS does the same on purpose (docs/af_bus.md, section 3). A topology refuses a filter that keeps less than the
# 16 bytes by which the runner tells messages apart.
. "$(dirname "$0")/lib/finding.sh"

this_kernel
guess 'a shortened message has MSG_TRUNC; the sender of a dropped one is told; a filter on a stream fails or works'
observe python3 - <<'PYTHON'
import ctypes
import socket
import struct

SO_ATTACH_FILTER, RETURN_CONSTANT = 26, 0x06


def attach(receiver, keep):
    """A filter of one instruction: return `keep`."""
    code = ctypes.create_string_buffer(struct.pack('HBBI', RETURN_CONSTANT, 0, 0, keep), 8)
    receiver.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack('HP', 1, ctypes.addressof(code)))


for name in ('SOCK_SEQPACKET', 'SOCK_DGRAM', 'SOCK_STREAM'):
    for keep in (3, 0):
        sender, receiver = socket.socketpair(socket.AF_UNIX, getattr(socket, name))
        attach(receiver, keep)
        receiver.setblocking(False)
        sent = sender.send(b'abcdef')
        try:
            data, _, flags, _ = receiver.recvmsg(100)
            got = f'{data.decode()} arrives, MSG_TRUNC is {"" if flags & socket.MSG_TRUNC else "not "}set'
        except BlockingIOError:
            got = 'nothing arrives'
        print(f'{name}, filter returns {keep}: send of abcdef returns {sent}, {got}')
PYTHON
as_described <<'TEXT'
SOCK_SEQPACKET, filter returns 3: send of abcdef returns 6, abc arrives, MSG_TRUNC is not set
SOCK_SEQPACKET, filter returns 0: send of abcdef returns 6, nothing arrives
SOCK_DGRAM, filter returns 3: send of abcdef returns 6, abc arrives, MSG_TRUNC is not set
SOCK_DGRAM, filter returns 0: send of abcdef returns 6, nothing arrives
SOCK_STREAM, filter returns 3: send of abcdef returns 6, abcdef arrives, MSG_TRUNC is not set
SOCK_STREAM, filter returns 0: send of abcdef returns 6, abcdef arrives, MSG_TRUNC is not set
TEXT
