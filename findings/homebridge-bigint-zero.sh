#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# @homebridge/dbus-native: a BigInt goes out as 0, and an object as an empty dictionary.
#
# Guess: a 64-bit integer of D-Bus is what BigInt is for. A library that does not know BigInt says so: this one checks
# every number for its range, and refuses an integer above 2^53 because a number of JavaScript cannot carry it.
#
# What happens: for 'x' each BigInt is written as 0, with no error. For 't' the same value raises an error about a signed
# Long. The decimal text of the number is written right. In the same way a dictionary must be given as a list of pairs: a plain
# object or a Map, which is what a reader of JSON has, is written as a dictionary without entries.
#
# For a tester of a bus: a round trip through this library and back shows a valid message, and a wrong value. Use values
# that differ from what an empty field would be: a test with 0n, or with {}, passes.
#
# Our project: integers of 64 bits are BigInts in afbus-topo/dbus, and a value of the wrong shape is an error that names its place.
. "$(dirname "$0")/lib/finding.sh"

npm_packages @homebridge/dbus-native@0.7.9
guess 'each value is written as it is, or refused'
cat >"$tmp/try.cjs" <<'JAVASCRIPT'
const marshall = require('@homebridge/dbus-native/lib/marshall');
const unmarshall = require('@homebridge/dbus-native/lib/unmarshall');

const attempts = [
	['x', '5', 5], ['x', '5n', 5n], ['x', '2n ** 62n', 2n ** 62n], ['x', "'4611686018427387904'", '4611686018427387904'],
	['x', '2 ** 62', 2 ** 62], ['t', '5n', 5n], ['i', '5n', 5n],
	['a{ss}', "[['a', 'b']]", [['a', 'b']]], ['a{ss}', "{ a: 'b' }", { a: 'b' }], ['a{ss}', "new Map([['a', 'b']])", new Map([['a', 'b']])],
];
for (const [signature, text, value] of attempts) {
	try {
		const bytes = marshall(signature, [value]);
		const body = signature === 'x' ? bytes.readBigInt64LE(0) : JSON.stringify(unmarshall(bytes, signature)[0]);
		console.log(`${signature}: ${text} is written as ${body}`);
	} catch {
		console.log(`${signature}: ${text} is refused`);
	}
}
JAVASCRIPT
observe node "$tmp/try.cjs"
as_described <<'TEXT'
x: 5 is written as 5
x: 5n is written as 0
x: 2n ** 62n is written as 0
x: '4611686018427387904' is written as 4611686018427387904
x: 2 ** 62 is refused
t: 5n is refused
i: 5n is refused
a{ss}: [['a', 'b']] is written as [["a","b"]]
a{ss}: { a: 'b' } is written as []
a{ss}: new Map([['a', 'b']]) is written as []
TEXT
