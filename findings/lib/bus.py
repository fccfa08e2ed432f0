# SPDX-License-Identifier: MIT
"""A raw client, and private buses of two makes: dbus-daemon, and dbus-broker under a controller of our own."""

import contextlib
import os
import socket
import subprocess
import tempfile

from wire import (CALL, DESTINATION, ERROR, ERROR_NAME, INTERFACE, MEMBER, PATH, REPLY_SERIAL, RETURN, SIGNAL, UNIX_FDS,
                  Message, encode, total)

ROOT, LIBRARIES = os.environ['ROOT'], os.environ['LIBRARIES']
ENVIRONMENT = {**os.environ, 'LD_LIBRARY_PATH': LIBRARIES}
DRIVER = 'org.freedesktop.DBus'
ERRORS = DRIVER + '.Error.'
ANYTHING = 2**64 - 1


class Client:
    """A connection on which every byte is ours. Messages that nobody has asked for yet wait in `unread`."""

    def __init__(self, stream, order='<'):
        self.stream, self.order, self.serial, self.unread, self.pending = stream, order, 0, [], b''
        stream.settimeout(20)
        stream.sendall(b'\0')
        self.say(b'AUTH EXTERNAL ' + str(os.getuid()).encode().hex().encode())
        self.say(b'NEGOTIATE_UNIX_FD')
        stream.sendall(b'BEGIN\r\n')

    def say(self, line):
        """One line of the login and its answer. Both makes of bus would take the lines in one go; a proxy may not."""
        self.stream.sendall(line + b'\r\n')
        while not self.pending.endswith(b'\r\n'):
            self.more()
        self.pending = b''

    @classmethod
    def connect(cls, path, order='<'):
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(path)
        client = cls(stream, order)
        client.name = client.driver('Hello').body[0]
        return client

    def more(self):
        data = self.stream.recv(65536)
        if not data:
            raise EOFError('the bus closed the connection')
        self.pending += data

    def send(self, kind, fields, signature='', body=(), flags=0, fds=()):
        self.serial += 1
        data = encode(kind, self.serial, fields, signature, body, flags, self.order)
        if fds:
            socket.send_fds(self.stream, [data], fds)
        else:
            self.stream.sendall(data)
        return self.serial

    def read(self):
        while len(self.pending) < 16 or len(self.pending) < total(self.pending):
            self.more()
        length = total(self.pending)
        message, self.pending = Message(self.pending[:length]), self.pending[length:]
        return message

    def reply_to(self, serial):
        """The answer to one call; what comes before it is kept in `unread`."""
        while True:
            message = self.read()
            if message[REPLY_SERIAL] == serial and message.kind in (RETURN, ERROR):
                return message
            self.unread.append(message)

    def call(self, destination, path, interface, member, signature='', *body, flags=0):
        fields = {PATH: path, INTERFACE: interface, MEMBER: member, DESTINATION: destination}
        return self.reply_to(self.send(CALL, fields, signature, body, flags))

    def driver(self, member, signature='', *body):
        return self.call(DRIVER, '/org/freedesktop/DBus', DRIVER, member, signature, *body)

    def signal(self, path, interface, member, signature='', *body, **fields):
        to = {DESTINATION: fields['to']} if 'to' in fields else {}
        serial = self.send(SIGNAL, {PATH: path, INTERFACE: interface, MEMBER: member, **to}, signature, body)
        self.fence()
        return serial

    def fence(self):
        """After it, the bus has dealt with all that was sent here, and all that it sent here is read."""
        self.call(DRIVER, '/org/freedesktop/DBus', DRIVER + '.Peer', 'Ping')

    def arrived(self):
        """The signals of other clients that came since the last call."""
        self.fence()
        signals = [m for m in self.unread if m.kind == SIGNAL and m[INTERFACE] != DRIVER]
        self.unread = []
        return signals


def refusal(message):
    """The error's name without the usual beginning, or None if the message is no error."""
    return message[ERROR_NAME].removeprefix(ERRORS) if message.kind == ERROR else None


@contextlib.contextmanager
def process(arguments, **options):
    child = subprocess.Popen(arguments, env=ENVIRONMENT, **options)
    try:
        yield child
    finally:
        child.terminate()
        child.wait()


@contextlib.contextmanager
def dbus_daemon(denied=''):
    """A session bus of dbus-daemon, everything allowed but what `denied` says; gives the path of its socket."""
    with tempfile.TemporaryDirectory() as folder:
        path, config = folder + '/bus', folder + '/config'
        with open(config, 'w', encoding='utf-8') as file:
            file.write(f'<busconfig><type>session</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>'
                       '<policy context="default"><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/>'
                       + denied + '</policy></busconfig>')
        options = ['--config-file=' + config, '--nofork', '--nopidfile', '--nosyslog', '--print-address=1']
        with process([ROOT + '/usr/bin/dbus-daemon', *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
            child.stdout.readline()
            yield path


@contextlib.contextmanager
def dbus_broker():
    """A bus of dbus-broker, everything allowed; gives the path of its socket."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.setblocking(False)
        listener.bind(folder + '/bus')
        listener.listen(32)
        command = [ROOT + '/usr/bin/dbus-broker', '--controller', str(theirs.fileno()), '--machine-id', '0' * 31 + '1']
        with process(command, pass_fds=[theirs.fileno()]):
            theirs.close()
            controller = Client(ours)
            add_listener(controller, listener)
            yield folder + '/bus'


def add_listener(controller, listener):
    allowed = (1, 1, '', '', '', '', 0, 0, 0, ANYTHING)
    everything = (1, 1, [(1, 1, 1, '')], [allowed], [allowed])
    batch = '(bta(btbs)a(btssssuutt)a(btssssuutt))'
    policy = f'(a(u{batch})a(buu{batch})a(ss)bs)', ([(2**32 - 1, everything)], [], [], 0, 'session')
    fields = {PATH: '/org/bus1/DBus/Broker', INTERFACE: 'org.bus1.DBus.Broker', MEMBER: 'AddListener', UNIX_FDS: 1}
    serial = controller.send(CALL, fields, 'ohv', ('/org/bus1/DBus/Listener/0', 0, policy), fds=[listener.fileno()])
    reply = controller.reply_to(serial)
    if reply.kind == ERROR:
        raise RuntimeError(f'dbus-broker refused the listener: {reply[ERROR_NAME]} {reply.body}')
