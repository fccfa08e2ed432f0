// SPDX-License-Identifier: MIT
// One address, four spellings: text, parts, the kernel's number, what a send accepts.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { addressFromKernel, toParts } from '../../../native/lib/address.ts';
import {
  addressFromBigInt,
  addressToBigInt,
  formatAddress,
  isMulticast,
  MASTER_ADDRESS,
  multicastAddress,
  parseAddress,
} from '../../../native/lib/index.ts';

const SPELLINGS = [
  ['0000/000000000000', 0, 0, 0n],
  ['0000/000000000001', 0, 1, 1n],
  ['0002/f00ddeadbeef', 2, 0xf00d_dead_beef, 0x0002_f00d_dead_beefn],
  ['ffff/ffffffffffff', 0xffff, 0xffff_ffff_ffff, 0xffff_ffff_ffff_ffffn],
  ['8000/800000000000', 0x8000, 0x8000_0000_0000, 0x8000_8000_0000_0000n],
] as const;

describe('bus address', () => {
  for (const [text, prefix, client, number] of SPELLINGS) {
    it(`${text} is the same in every spelling`, () => {
      assert.equal(formatAddress(prefix, client), text);
      assert.deepEqual(parseAddress(text), { prefix, client });
      assert.equal(addressToBigInt(text), number);
      assert.equal(addressFromBigInt(number), text);
      assert.equal(addressFromKernel(prefix, client), text);
      for (const like of [text, number, { prefix, client }])
        assert.deepEqual(toParts(like), { prefix, client });
    });
  }

  it('text is read in either case and written in lower case', () => {
    const { prefix, client } = parseAddress('00AB/F00DDEADBEEF');
    assert.equal(formatAddress(prefix, client), '00ab/f00ddeadbeef');
  });

  for (const text of [
    '',
    '2/1',
    '0002:f00ddeadbeef',
    '0002/f00ddeadbee',
    '0002/f00ddeadbeef0',
    ' 0002/f00ddeadbeef',
    '000g/000000000000',
  ]) {
    it(`'${text}' is refused by name`, () => {
      assert.throws(() => parseAddress(text), { name: 'TypeError', message: new RegExp(`'${text}'`) });
    });
  }

  it('parts outside their range are refused', () => {
    assert.throws(() => formatAddress(0x1_0000, 0), { name: 'RangeError', message: /prefix 65536/ });
    assert.throws(() => formatAddress(-1, 0), /prefix -1/);
    assert.throws(() => formatAddress(0, 2 ** 48), /client 281474976710656/);
    assert.throws(() => formatAddress(0, 1.5), /client 1.5/);
    assert.throws(() => addressFromBigInt(1n << 64n), RangeError);
    assert.throws(() => addressFromBigInt(-1n), RangeError);
    assert.throws(() => toParts({ prefix: 0, client: Number.NaN }), RangeError);
  });

  it('a multicast address has a client part of all ones', () => {
    assert.equal(multicastAddress(7), '0007/ffffffffffff');
    assert.ok(isMulticast('0000/ffffffffffff'));
    assert.ok(!isMulticast(MASTER_ADDRESS));
  });

  it('addresses that the kernel gives are interned where they are low', () => {
    assert.equal(addressFromKernel(0, 4095), '0000/000000000fff');
    assert.equal(addressFromKernel(0, 4096), '0000/000000001000');
    assert.equal(addressFromKernel(0, 4095), '0000/000000000fff');
  });
});
