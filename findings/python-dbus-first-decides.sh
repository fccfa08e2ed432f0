#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# python3-dbus: a bool in the first place turns all other values of a list or dictionary into bools.
#
# Guess: without a signature the library guesses the type of each value, and a list or dictionary whose values differ in type
# is refused, since D-Bus has one type for all of them: [1, 2.5] and [1.5, 'x'] are refused.
#
# What happens: the first value decides, and each of the others must be convertible. Numbers and texts are strict there: 2.5 as an
# integer and 'x' as a double raise TypeError. A bool takes anything that Python can call true or false: {'on': True, 'level': 7}
# goes out as a{sb} with the level true, and [True, 'no'] as two times true. Written in the other order, {'level': 7, 'on': True}
# goes out as a{si}. The receiver gets a valid message, and nobody a warning. The same holds for a signature that is given
# ('b' for the text 'no'). A bytes value is guessed to be a text.
#
# For a tester of a bus: settings that a program sends from a dictionary can change their type with the order of its keys.
# Compare signatures, not only values: in Python True == 1, and an echo of the message looks right.
#
# Our project: in a topology the signature of a payload is written out, and a value that does not fit it is an error at its line.
. "$(dirname "$0")/lib/finding.sh"

debian python3-dbus=1.3.2-4+b1 libdbus-1-3=1.14.10-1~deb12u1
[ -x /usr/bin/python3.11 ] || cannot 'there is no /usr/bin/python3.11 on this machine'
guess 'a list or dictionary of values of two types is refused'
observe env "LD_LIBRARY_PATH=$LIBRARIES" "PYTHONPATH=$ROOT/usr/lib/python3/dist-packages" /usr/bin/python3.11 - <<'PYTHON'
import dbus
from dbus.lowlevel import SignalMessage


def plain(value):
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return bool(value) if isinstance(value, dbus.Boolean) else int(value) if isinstance(value, int) else str(value)


for value in ({'level': 7, 'on': True}, {'on': True, 'level': 7}, [True, 'no', 0], [1, 2.5], [1.5, 'x'], ['x', 1],
              dbus.Array(['no', ''], signature='b'), b'bytes'):
    message = SignalMessage('/a', 'org.example.A', 'Changed')
    try:
        message.append(value)
        print(f'{value!r}: goes out as {message.get_signature()}, and arrives as {plain(message.get_args_list()[0])!r}')
    except TypeError:
        print(f'{value!r}: TypeError')
PYTHON
as_described <<'TEXT'
{'level': 7, 'on': True}: goes out as a{si}, and arrives as {'level': 7, 'on': 1}
{'on': True, 'level': 7}: goes out as a{sb}, and arrives as {'on': True, 'level': True}
[True, 'no', 0]: goes out as ab, and arrives as [True, True, False]
[1, 2.5]: TypeError
[1.5, 'x']: TypeError
['x', 1]: TypeError
dbus.Array(['no', ''], signature=dbus.Signature('b')): goes out as ab, and arrives as [True, False]
b'bytes': goes out as s, and arrives as 'bytes'
TEXT
