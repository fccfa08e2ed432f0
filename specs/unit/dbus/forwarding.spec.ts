// SPDX-License-Identifier: MIT
// What a bus changes of a message that it forwards: the sender, and nothing else.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { check, type DbusMessage, forwarded, marshal, parse, Writer } from '../../../runner/dbus/index.ts';

const CALL: DbusMessage = {
  ...{ type: 'method_call', endian: 'little', flags: 0x82 },
  ...{ path: '/a', interface: 'a.B', member: 'C', destination: 'org.example.Player' },
  args: [{ type: 'a{sv}', value: { Level: { type: 'u', value: 7 } } }],
};

const forward = (bytes: Uint8Array): Buffer => Buffer.concat(forwarded(bytes, check(bytes), ':0.1f'));

/** The same message with one more field, which is the last. */
function withField(code: number, signature: string, text: string): Buffer {
  const bytes = marshal({ ...CALL, args: [] }, 1);
  const fields = 16 + bytes.readUInt32LE(12);
  const writer = new Writer('little');
  writer.bytes(bytes.subarray(0, fields));
  writer.align(8);
  writer.byte(code);
  writer.signature(signature);
  writer.text(text);
  writer.setUint32(12, writer.length - 16);
  writer.align(8);
  return writer.done();
}

describe('a forwarded message', () => {
  for (const endian of ['little', 'big'] as const) {
    it(`is the same in the name of its sender (${endian})`, () => {
      const bytes = marshal({ ...CALL, endian }, 7);
      const out = forward(bytes);
      assert.deepEqual(parse(out), { ...parse(bytes), sender: ':0.1f' });
      assert.equal(out[0], bytes[0]);
    });
  }

  it('shares its body with the original', () => {
    const bytes = marshal(CALL, 7);
    const [, body] = forwarded(bytes, check(bytes), ':0.1f');
    assert.equal(body?.buffer, bytes.buffer);
  });

  it('has its true sender, if it named another', () => {
    const forged = marshal({ ...CALL, sender: 'org.freedesktop.DBus' }, 7);
    assert.equal(parse(forward(forged)).sender, ':0.1f');
    assert.deepEqual(forward(forged), marshal({ ...CALL, sender: ':0.1f' }, 7));
  });

  it('has its sender as the last field, if it had none', () => {
    const out = forward(marshal({ ...CALL, args: [] }, 1));
    assert.deepEqual(out, withField(7, 's', ':0.1f'));
  });

  it('loses fields of unknown codes', () => {
    const out = forward(withField(99, 's', 'from the future'));
    assert.deepEqual(out, withField(7, 's', ':0.1f'));
  });
});
