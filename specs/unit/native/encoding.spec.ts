// SPDX-License-Identifier: MIT
// What goes to the addon as bytes: bus paths and filters; what comes back as a table: batches.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Addon, BatchLayout } from '../../../native/lib/addon.ts';
import { packFilter } from '../../../native/lib/filter.ts';
import { filterReturn } from '../../../native/lib/index.ts';
import { unpackBatch } from '../../../native/lib/message.ts';
import { decodePath, encodePath } from '../../../native/lib/path.ts';

const LIMIT = 108;

describe('bus path', () => {
  it('a pathname is its bytes', () => assert.equal(encodePath('/run/ü', LIMIT).toString(), '/run/ü'));

  it('@name and a leading NUL are the same abstract name', () => {
    assert.deepEqual(encodePath('@a', LIMIT), Buffer.from('\0a'));
    assert.deepEqual(encodePath('\0a', LIMIT), Buffer.from('\0a'));
  });

  it('up to 108 bytes fit', () => {
    assert.equal(encodePath('a'.repeat(LIMIT), LIMIT).length, LIMIT);
    assert.throws(() => encodePath('ü'.repeat(LIMIT / 2 + 1), LIMIT), {
      name: 'RangeError',
      message: /110 bytes, more than 108/,
    });
  });

  it('an empty path, and one with a NUL inside, are refused', () => {
    assert.throws(() => encodePath('', LIMIT), TypeError);
    assert.throws(() => encodePath('/a\0b', LIMIT), { name: 'TypeError', message: /NUL/ });
    assert.throws(() => encodePath('@a\0b', LIMIT), { name: 'TypeError', message: /NUL/ });
  });

  for (const path of ['/run/bus', '@name', 'relative', 'a'.repeat(LIMIT)]) {
    it(`${path.slice(0, 10)} comes back as it went`, () => {
      const padded = Buffer.alloc(LIMIT);
      encodePath(path, LIMIT).copy(padded);
      assert.equal(decodePath(padded), path);
    });
  }

  it('no path is an empty text', () => assert.equal(decodePath(Buffer.alloc(LIMIT)), ''));
});

describe('socket filter', () => {
  it('is packed as struct sock_filter in host order', () => {
    const bytes = packFilter([{ code: 0x0102, jt: 3, jf: 4, k: 0xfffe_fdfc }, filterReturn(7)]);
    const view = new DataView(bytes.buffer);
    assert.equal(view.getUint16(0, true), 0x0102);
    assert.deepEqual([...bytes.subarray(2, 4)], [3, 4]);
    assert.equal(view.getUint32(4, true), 0xfffe_fdfc);
    assert.deepEqual([view.getUint16(8, true), view.getUint32(12, true)], [6, 7]);
  });

  it('fields outside their range are refused by index and name', () => {
    assert.throws(
      () => packFilter([filterReturn(1), { code: 6, jt: 256, jf: 0, k: 0 }]),
      /instruction 1: jt 256/,
    );
    assert.throws(() => packFilter([{ code: 65536, jt: 0, jf: 0, k: 0 }]), /code 65536/);
    assert.throws(() => packFilter([filterReturn(-1)]), /k -1/);
    assert.throws(() => packFilter([]), /1 to 4096/);
  });
});

const COLUMNS =
  'offset received length flags prefix client sequence lost pid uid gid fds timestamp security'.split(' ');

function fakeAddon(rows: readonly Record<string, number>[]): Addon {
  const layout = {
    header: 2,
    stride: COLUMNS.length,
    batchCount: 0,
    batchFds: 1,
    flagTruncated: 1,
    flagControlTruncated: 2,
    flagSequence: 4,
    flagCredentials: 8,
    flagLost: 16,
    flagTimestamp: 32,
    flagSecurity: 64,
    ...Object.fromEntries(COLUMNS.map((name, i) => [name, i])),
  } as unknown as BatchLayout;
  const cells = rows.flatMap((row) => COLUMNS.map((name) => row[name] ?? 0));
  return { layout, batch: Float64Array.from([rows.length, 0, ...cells]) } as unknown as Addon;
}

describe('received batch', () => {
  it('unpacks to messages in order, each with its own bytes', () => {
    const addon = fakeAddon([
      { received: 2, length: 2, client: 5 },
      { offset: 2, received: 0, length: 0, prefix: 0, client: 6 },
      { offset: 2, received: 3, length: 9, flags: 1 | 2, client: 7 },
    ]);
    const messages = unpackBatch(addon, Buffer.from('hiabc'));
    assert.deepEqual(
      messages.map(({ data }) => data.toString()),
      ['hi', '', 'abc'],
    );
    assert.deepEqual(
      messages.map(({ from }) => from),
      ['0000/000000000005', '0000/000000000006', '0000/000000000007'],
    );
    assert.deepEqual(
      messages.map(({ truncated, controlTruncated, length }) => [truncated, controlTruncated, length]),
      [
        [false, false, 2],
        [false, false, 0],
        [true, true, 9],
      ],
    );
    assert.ok(!('sequence' in (messages[0] ?? {})) && !('credentials' in (messages[0] ?? {})));
  });

  it('has the fields that its flags announce', () => {
    const [message] = unpackBatch(
      fakeAddon([
        {
          received: 1,
          length: 1,
          flags: 4 | 8 | 16 | 32 | 64,
          sequence: 2 ** 53,
          lost: 3,
          pid: 1,
          uid: 4294967295,
          gid: 2,
          timestamp: 1.7e15,
          security: 4,
        },
      ]),
      Buffer.from('xlab\0'),
    );
    assert.equal(message?.sequence, 2 ** 53);
    assert.equal(message?.lost, 3);
    assert.deepEqual(message?.credentials, { pid: 1, uid: 4294967295, gid: 2 });
    assert.equal(message?.timestamp, 1.7e15);
    assert.equal(message?.security, 'lab');
    assert.equal(message?.data.toString(), 'x');
  });
});
