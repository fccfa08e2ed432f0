#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# AF_UNIX: poll() calls a datagram socket writable although its receiver's queue is full, unless it is connected to just it.
#
# Guess: a nonblocking sender that gets EAGAIN waits for POLLOUT and then sends. The queue that bounds it holds
# net.unix.max_dgram_qlen messages, by default 10, whichever way the sender got to it.
#
# What happens: POLLOUT knows only the receiver to which the socket is connected. A sender that names its receiver in each
# sendto() is always called writable: it gets EAGAIN, POLLOUT and EAGAIN in turn, and takes a whole processor until somebody
# reads. The queue holds 11, one more than the setting. Between two sockets that are connected to each other, as
# socketpair() makes them, it has no such bound at all: there only the sender's buffer ends it. Seen on 6.1, 6.12 and 6.18.
#
# For a tester of a bus: a slow receiver of datagrams is three different things, by how its senders found it. A test with
# socketpair() never meets the limit that programs meet in the field, and an event loop that is tested with connected
# sockets spins with unconnected ones.
#
# Our project: after EAGAIN for a full recipient, an AF_BUS socket is not writable before there is room there
# (docs/af_bus.md section 4).
. "$(dirname "$0")/lib/finding.sh"

this_kernel
guess 'after EAGAIN nobody is writable, and each has sent 10 messages'
observe python3 - <<'PYTHON'
import os
import select
import socket

LIMIT = int(open('/proc/sys/net/unix/max_dgram_qlen').read())
place = os.environ['TMPDIR'] + '/receiver'


def fill(send):
    sent = 0
    try:
        while True:
            send(b'x')
            sent += 1
    except BlockingIOError:
        return sent


def writable(sender):
    poll = select.poll()
    poll.register(sender, select.POLLOUT)
    return 'writable' if poll.poll(200) else 'not writable'


def sender_to(name):
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(place + name)
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.setblocking(False)
    return receiver, sender


def show(how, sent, sender):
    more = sent - LIMIT
    print(f'{how}: EAGAIN after the limit and {more if more < 2 else "many"} more, and the sender is {writable(sender)}')


receiver, sender = sender_to('1')
show('sendto()', fill(lambda data: sender.sendto(data, place + '1')), sender)
receiver, sender = sender_to('2')
sender.connect(place + '2')
show('connect() and send()', fill(sender.send), sender)
sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
sender.setblocking(False)
show('socketpair() and send()', fill(sender.send), sender)
PYTHON
as_described <<'TEXT'
sendto(): EAGAIN after the limit and 1 more, and the sender is writable
connect() and send(): EAGAIN after the limit and 1 more, and the sender is not writable
socketpair() and send(): EAGAIN after the limit and many more, and the sender is not writable
TEXT
