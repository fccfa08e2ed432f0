#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# AF_UNIX: SO_PEEK_OFF forgets where messages end, and can make a socket look empty that is not.
#
# Guess: on a socket of messages a peek with an offset shows the rest of the first message. A peek that begins in the middle of a
# message is marked MSG_TRUNC, as socket(7) says. A read takes the message away, and the offset begins anew with the next.
#
# What happens: the offset counts through the whole queue. When one message has been looked at, the next peek shows the next
# message: the option iterates over the queue, which nothing else can do on a socket of messages. MSG_TRUNC tells only of an end
# that was cut off: the peek that begins in the middle of a message has no mark. A read takes the length of the message
# off the offset, the part that did not fit included. So after peeks through the whole queue and one read, the offset still
# stands at its end: peek says EAGAIN, poll() says that there is something, and read() gives it. SOCK_DGRAM and
# SOCK_SEQPACKET do the same.
#
# For a tester of a bus: a loop of poll() and MSG_PEEK turns for ever on such a socket. A library that sets the option, to
# look at headers before it takes a message, must set it to 0 after every read.
#
# Our project: AF_BUS takes SO_PEEK_OFF with the same meaning (kernel/tests/peek.c), and af_bus(7) warns of it.
. "$(dirname "$0")/lib/finding.sh"

this_kernel
guess '"abcd" MSG_TRUNC, then "ef" MSG_TRUNC, then nothing more; after the read a peek shows "ghijkl"'
observe python3 - <<'PYTHON'
import select
import socket

SO_PEEK_OFF = 42

for name in ('SOCK_DGRAM', 'SOCK_SEQPACKET'):
    sender, receiver = socket.socketpair(socket.AF_UNIX, getattr(socket, name))
    receiver.setblocking(False)
    receiver.setsockopt(socket.SOL_SOCKET, SO_PEEK_OFF, 0)
    for message in (b'abcdef', b'ghijkl'):
        sender.send(message)

    def look(label, size, flag):
        try:
            data, _, flags, _ = receiver.recvmsg(size, 0, flag)
            seen = data.decode() + (', MSG_TRUNC' if flags & socket.MSG_TRUNC else '')
        except BlockingIOError:
            seen = 'EAGAIN'
        print(f'{name}: {label} gives {seen}; offset', receiver.getsockopt(socket.SOL_SOCKET, SO_PEEK_OFF))

    for _ in range(4):
        look('peek of 4 bytes', 4, socket.MSG_PEEK)
    look('read of 4 bytes', 4, 0)
    look('peek of 100 bytes', 100, socket.MSG_PEEK)
    print(f'{name}: poll() says', 'readable' if select.select([receiver], [], [], 0)[0] else 'empty')
    look('read of 100 bytes', 100, 0)
PYTHON
as_described <<'TEXT'
SOCK_DGRAM: peek of 4 bytes gives abcd, MSG_TRUNC; offset 4
SOCK_DGRAM: peek of 4 bytes gives ef; offset 6
SOCK_DGRAM: peek of 4 bytes gives ghij, MSG_TRUNC; offset 10
SOCK_DGRAM: peek of 4 bytes gives kl; offset 12
SOCK_DGRAM: read of 4 bytes gives abcd, MSG_TRUNC; offset 6
SOCK_DGRAM: peek of 100 bytes gives EAGAIN; offset 6
SOCK_DGRAM: poll() says readable
SOCK_DGRAM: read of 100 bytes gives ghijkl; offset 0
SOCK_SEQPACKET: peek of 4 bytes gives abcd, MSG_TRUNC; offset 4
SOCK_SEQPACKET: peek of 4 bytes gives ef; offset 6
SOCK_SEQPACKET: peek of 4 bytes gives ghij, MSG_TRUNC; offset 10
SOCK_SEQPACKET: peek of 4 bytes gives kl; offset 12
SOCK_SEQPACKET: read of 4 bytes gives abcd, MSG_TRUNC; offset 6
SOCK_SEQPACKET: peek of 100 bytes gives EAGAIN; offset 6
SOCK_SEQPACKET: poll() says readable
SOCK_SEQPACKET: read of 100 bytes gives ghijkl; offset 0
TEXT
