// SPDX-License-Identifier: MIT
// Messages of the bus itself that are as long as clients can make them.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ownMessage } from '../../../daemon/bus/own-message.ts';
import { signal, string } from '../../../daemon/driver/message.ts';
import { BadValue, parse } from '../../../runner/dbus/index.ts';

const REPLY = { type: 'method_return', destination: ':0.1', replySerial: 7 } as const;
const texts = (...value: string[]) => [{ type: 'as', value }];

describe('a reply of the bus', () => {
  const saidWithin = (most: number, ...value: string[]) => {
    const { type, errorName, replySerial, args } = parse(
      ownMessage({ ...REPLY, args: texts(...value) }, 1, most),
    );
    return { type, errorName, replySerial, text: args[0]?.value };
  };

  it('is what it is if the bus takes it', () =>
    assert.deepEqual(saidWithin(1000, 'x'), {
      ...{ type: 'method_return', errorName: undefined, replySerial: 7, text: ['x'] },
    }));

  for (const [what, most, value, text] of [
    ['the bus takes', 1000, ['x'.repeat(1000)], /the bus takes 1000 bytes, not 10\d\d$/],
    ['an array may be', 1 << 27, Array(65).fill('x'.repeat(1 << 20)), /an array has at most 67108864 bytes/],
  ] as const)
    it(`that is longer than ${what} becomes an error`, () => {
      const said = saidWithin(most, ...value);
      assert.deepEqual([said.type, said.replySerial], ['error', 7]);
      assert.equal(said.errorName, 'org.freedesktop.DBus.Error.LimitsExceeded');
      assert.match(String(said.text), text);
    });

  it('is all that can be too long', () =>
    assert.throws(() => ownMessage(signal('X', [string('x'.repeat(1000))]), 1, 1000), BadValue));
});
