#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Linux: sendfile() to a message socket cuts the file into messages, and the kernel's version decides how many.
#
# Guess: sendfile() to an AF_UNIX SOCK_SEQPACKET or SOCK_DGRAM socket sends what one sendmsg() with the same bytes would send:
# one message, or EMSGSIZE if it is too long. If the kernel cannot do that, it fails with EINVAL.
#
# What happens: 100000 bytes leave as several messages, and sendfile() returns 100000. Before Linux 6.5 the file goes page by
# page: 25 messages of at most 4096 bytes. Since then (splice_to_socket() in fs/splice.c) it goes in pieces of 16 pages: 65536
# bytes and the rest. send() with the same bytes makes one message on all of them. Seen on 6.1, and on 6.12 and 6.18.
#
# For a tester of a bus: on a socket that keeps boundaries, sendfile() and splice() add boundaries that no sender chose, and a
# program that got away with it for 4096 bytes gets away with 65536 on the next kernel. Test beyond the larger of the two. A
# socket family of one's own gets this behaviour from common code, without a line for it.
#
# Our project: splicing into an AF_BUS socket does what it does for AF_UNIX (docs/decisions/kernel.md), so it makes the same pieces.
. "$(dirname "$0")/lib/finding.sh"

this_kernel
guess 'one message of 100000 bytes'
observe python3 - <<'PYTHON'
import os
import socket

LENGTH = 100000


def messages(kind, send):
    sender, receiver = socket.socketpair(socket.AF_UNIX, kind)
    receiver.setblocking(False)
    sent, lengths = send(sender), []
    try:
        while True:
            lengths.append(len(receiver.recv(LENGTH)))
    except BlockingIOError:
        return sent, lengths


def in_words(sent, lengths):
    return f'returns {sent}; {len(lengths)} of at most {max(lengths)} bytes arrive'


file = os.memfd_create('file')
os.write(file, bytes(LENGTH))
for name in ('SOCK_SEQPACKET', 'SOCK_DGRAM'):
    kind = getattr(socket, name)
    print(f'{name}: send', in_words(*messages(kind, lambda s: s.send(bytes(LENGTH)))))
    print(f'{name}: sendfile', in_words(*messages(kind, lambda s: os.sendfile(s.fileno(), file, 0, LENGTH))))
PYTHON
pieces='2 of at most 65536 bytes'
[ "$(printf '%s\n' 6.5 "$(uname -r)" | sort -V | head -n 1)" = 6.5 ] || pieces='25 of at most 4096 bytes'
as_described <<TEXT
SOCK_SEQPACKET: send returns 100000; 1 of at most 100000 bytes arrive
SOCK_SEQPACKET: sendfile returns 100000; $pieces arrive
SOCK_DGRAM: send returns 100000; 1 of at most 100000 bytes arrive
SOCK_DGRAM: sendfile returns 100000; $pieces arrive
TEXT
