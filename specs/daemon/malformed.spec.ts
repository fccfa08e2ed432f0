// SPDX-License-Identifier: MIT
// Messages that are none: a bus closes the connection that they come from, and no other.
import assert from 'node:assert/strict';
import { it } from 'mocha';
import { RawClient } from '../dbus/raw-client.ts';
import { bytesOf, errorOf, onEachBus, patched, string } from './talk.ts';

/** Messages for which a bus closes the connection. */
const FATAL: Readonly<Record<string, Buffer>> = {
  'the type 0': patched(bytesOf(), (bytes) => bytes.writeUInt8(0, 1)),
  'the version 2': patched(bytesOf(), (bytes) => bytes.writeUInt8(2, 3)),
  'the serial 0': patched(bytesOf(), (bytes) => bytes.writeUInt32LE(0, 8)),
  'a byte order that is none': patched(bytesOf(), (bytes) => bytes.writeUInt8(0x78, 0)),
  'a call without a member': bytesOf({ member: undefined as unknown as string }),
  'a call without a path': bytesOf({ path: undefined as unknown as string }),
  'a signal without an interface': bytesOf({ type: 'signal', destination: undefined as unknown as string }),
  'an answer to nothing': bytesOf({ type: 'method_return' }),
  'an error without a name': bytesOf({ type: 'error', replySerial: 1 }),
  'the path of a library itself': bytesOf({ path: '/org/freedesktop/DBus/Local' }),
  'a destination that is no name': bytesOf({ destination: 'nodot' }),
  'a descriptor that is not there': bytesOf({ unixFds: 1, args: [{ type: 'h', value: 0 }] }),
  'the boolean 2': patched(bytesOf({ args: [{ type: 'b', value: true }] }), (bytes) =>
    bytes.writeUInt32LE(2, bytes.length - 4),
  ),
  'a string that is not UTF-8': patched(bytesOf({ args: [string('xy')] }), (bytes) =>
    bytes.writeUInt8(0xff, bytes.length - 3),
  ),
  'a string without its end': patched(bytesOf({ args: [string('xy')] }), (bytes) =>
    bytes.writeUInt8(1, bytes.length - 1),
  ),
  'a body without a signature': patched(Buffer.concat([bytesOf(), Buffer.alloc(8)]), (bytes) =>
    bytes.writeUInt32LE(8, 4),
  ),
  'a path that ends in a slash': patched(bytesOf({ args: [{ type: 'o', value: '/ab' }] }), (bytes) =>
    bytes.write('/', bytes.length - 2),
  ),
};

onEachBus('connections', (bus) => {
  for (const [what, bytes] of Object.entries(FATAL))
    it(`end by ${what}`, async () => {
      using client = await RawClient.join(bus().path);
      using other = await RawClient.join(bus().path);
      await client.send(bytes);
      assert.equal(await client.next(), undefined);
      assert.equal(errorOf(await other.call('GetId')), 'method_return');
    });
});
