# SPDX-License-Identifier: MIT
"""D-Bus messages as bytes, in either byte order: just enough to speak to a bus without a library."""

import struct

CALL, RETURN, ERROR, SIGNAL = 1, 2, 3, 4
PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY_SERIAL, DESTINATION, SENDER, SIGNATURE = range(1, 9)
UNIX_FDS = 9
FIELD_TYPES = dict(zip(range(1, 10), 'osssussgu', strict=True))
FIXED = {'y': 'B', 'n': 'h', 'q': 'H', 'i': 'i', 'u': 'I', 'b': 'I', 'h': 'I', 'x': 'q', 't': 'Q', 'd': 'd'}
ALIGNMENT = {'y': 1, 'g': 1, 'v': 1, 'n': 2, 'q': 2, 'x': 8, 't': 8, 'd': 8, '(': 8, '{': 8}


def split(signature):
    """The complete types of a signature, one by one."""
    types, start = [], 0
    while start < len(signature):
        end = start
        while signature[end] == 'a':
            end += 1
        depth = 0
        while True:
            depth += {'(': 1, '{': 1, ')': -1, '}': -1}.get(signature[end], 0)
            end += 1
            if depth == 0:
                break
        types.append(signature[start:end])
        start = end
    return types


class Writer:
    def __init__(self, order):
        self.order, self.data = order, bytearray()

    def align(self, boundary):
        self.data += bytes(-len(self.data) % boundary)

    def fixed(self, code, value):
        self.align(struct.calcsize(code))
        self.data += struct.pack(self.order + code, value)

    def value(self, kind, value):
        if kind in FIXED:
            self.fixed(FIXED[kind], value)
        elif kind in 'so':
            text = value.encode()
            self.fixed('I', len(text))
            self.data += text + b'\0'
        elif kind == 'g':
            self.data += bytes([len(value)]) + value.encode() + b'\0'
        elif kind == 'v':
            self.value('g', value[0])
            self.value(*value)
        elif kind[0] == 'a':
            self.array(kind[1:], value)
        else:
            self.align(8)
            self.values(kind[1:-1], value)

    def array(self, kind, items):
        self.fixed('I', 0)
        length_at = len(self.data) - 4
        self.align(ALIGNMENT.get(kind[0], 4))
        start = len(self.data)
        for item in items:
            self.value(kind, item)
        struct.pack_into(self.order + 'I', self.data, length_at, len(self.data) - start)

    def values(self, signature, values):
        for kind, value in zip(split(signature), values, strict=True):
            self.value(kind, value)


class Reader:
    def __init__(self, order, data, at=0):
        self.order, self.data, self.at = order, data, at

    def align(self, boundary):
        self.at += -self.at % boundary

    def fixed(self, code):
        self.align(struct.calcsize(code))
        self.at += struct.calcsize(code)
        return struct.unpack_from(self.order + code, self.data, self.at - struct.calcsize(code))[0]

    def text(self, length):
        self.at += length + 1
        return bytes(self.data[self.at - length - 1:self.at - 1]).decode()

    def value(self, kind):
        if kind in FIXED:
            return self.fixed(FIXED[kind])
        if kind in 'so':
            return self.text(self.fixed('I'))
        if kind == 'g':
            return self.text(self.fixed('B'))
        if kind == 'v':
            signature = self.value('g')
            return (signature, self.value(signature))
        if kind[0] == 'a':
            return self.array(kind[1:])
        self.align(8)
        return tuple(self.values(kind[1:-1]))

    def array(self, kind):
        length = self.fixed('I')
        self.align(ALIGNMENT.get(kind[0], 4))
        end, items = self.at + length, []
        while self.at < end:
            items.append(self.value(kind))
        return items

    def values(self, signature):
        return [self.value(kind) for kind in split(signature)]


def encode(kind, serial, fields, signature='', body=(), flags=0, order='<'):
    """One message; `fields` maps header field numbers to values."""
    content = Writer(order)
    content.values(signature, body)
    if signature:
        fields = {**fields, SIGNATURE: signature}
    head = Writer(order)
    head.values('yyyyuu', (ord('l' if order == '<' else 'B'), kind, flags, 1, len(content.data), serial))
    head.value('a(yv)', [(number, (FIELD_TYPES[number], value)) for number, value in fields.items()])
    head.align(8)
    return bytes(head.data + content.data)


class Message:
    """One message as it was read."""

    def __init__(self, data):
        self.data = data
        order = '<' if data[0] == ord('l') else '>'
        reader = Reader(order, data)
        self.endian, self.kind, self.flags, _, _, self.serial = reader.values('yyyyuu')
        self.fields = {number: value for number, (_, value) in reader.value('a(yv)')}
        reader.align(8)
        self.body = reader.values(self.fields.get(SIGNATURE, ''))

    def __getitem__(self, field):
        return self.fields.get(field)


def total(head):
    """The length of the message whose first 16 bytes these are."""
    order = '<' if head[0] == ord('l') else '>'
    body, _, fields = struct.unpack_from(order + 'III', head, 4)
    return 16 + fields + -fields % 8 + body
