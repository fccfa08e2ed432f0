// SPDX-License-Identifier: MIT
// D-Bus messages to bytes and back.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  type Arg,
  check,
  type DbusMessage,
  embedEnvelope,
  envelopeIn,
  isPath,
  marshal,
  NotDbus,
  parse,
  parsed,
  templateOf,
} from '../../../runner/dbus/index.ts';
import fc from '../../helpers/drawn.ts';

const HELLO: DbusMessage = {
  type: 'method_call',
  endian: 'little',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  member: 'Hello',
  destination: 'org.freedesktop.DBus',
  args: [],
};

/** What libdbus sends for it, with serial 1. */
const HELLO_BYTES =
  '6c01000100000000010000006d00000001016f00150000002f6f72672f667265656465736b746f702f4442757300000002017300140000006f72672e667265656465736b746f702e4442757300000000030173000500000048656c6c6f00000006017300140000006f72672e667265656465736b746f702e4442757300000000'.toLowerCase();

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,6}(\.[A-Za-z_][A-Za-z0-9_]{0,6}){1,3}$/);
const member = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,9}$/);
const path = fc.stringMatching(/^(\/[A-Za-z0-9_]{1,5}){1,4}$/);
const serial = fc.integer({ min: 1, max: 0xffff_ffff });
const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((each) => !each.includes('\0'));
const bytes = fc.uint8Array({ maxLength: 40 });

const arg: fc.Arbitrary<Arg> = fc.oneof(
  text.map((value): Arg => ({ type: 's', value })),
  path.map((value): Arg => ({ type: 'o', value })),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map((value): Arg => ({ type: 'i', value })),
  bytes.map((value): Arg => ({ type: 'ay', value })),
);
const common = {
  endian: fc.constantFrom('little', 'big' as const),
  args: fc.array(arg, { maxLength: 6 }),
};
const optional = (
  record: Record<string, fc.Arbitrary<unknown>>,
  needed: string[],
): fc.Arbitrary<DbusMessage> => {
  const all: Record<string, fc.Arbitrary<unknown>> = { ...common, ...record };
  const made = fc.record(all, { requiredKeys: ['endian', 'args', ...needed] });
  return made as fc.Arbitrary<unknown> as fc.Arbitrary<DbusMessage>;
};
const messages = fc.oneof(
  optional({ type: fc.constant('signal'), path, interface: name, member, destination: name }, [
    ...['type', 'path', 'interface', 'member'],
  ]),
  optional({ type: fc.constant('method_call'), path, interface: name, member, destination: name }, [
    ...['type', 'path', 'member'],
  ]),
  optional({ type: fc.constant('method_return'), replySerial: serial, destination: name }, [
    'type',
    'replySerial',
  ]),
  optional({ type: fc.constant('error'), errorName: name, replySerial: serial, unixFds: serial }, [
    'type',
    'errorName',
    'replySerial',
  ]),
);

const refusal = (of: Uint8Array): string => {
  try {
    parse(of);
  } catch (error) {
    assert.ok(error instanceof NotDbus);
    return error.message;
  }
  return 'none';
};

describe('a D-Bus message', () => {
  it('has the same bytes as that of other implementations', () => {
    assert.equal(marshal(HELLO, 1).toString('hex'), HELLO_BYTES);
  });

  it('comes back as it was, in both byte orders', () => {
    fc.assert(
      fc.property(messages, serial, (message, n) => {
        const back = parse(marshal(message, n));
        assert.deepEqual(
          { ...back, args: plain(back.args) },
          { ...message, flags: 0, serial: n, args: plain(message.args) },
        );
      }),
    );
  });

  it('is refused without any other error, whatever the bytes', () => {
    const damaged = fc
      .tuple(messages, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(3))
      .map(([message, changes, cut]) => {
        const out = marshal(message, 1);
        for (const [at, value] of changes) out[at % out.length] = value;
        return out.subarray(0, out.length - cut);
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (of) => {
        refusal(of);
        envelopeIn(Buffer.from(of));
      }),
      { numRuns: 2000 },
    );
  });

  it('is refused with a reason', () => {
    const good = (change: (out: Buffer) => void): Buffer => {
      const out = marshal({ ...HELLO, args: [{ type: 's', value: 'hi' }] }, 1);
      change(out);
      return out;
    };
    assert.match(refusal(Buffer.from('AFBT')), /no header/);
    assert.match(refusal(good((b) => b.writeUInt8(2, 3))), /no header/);
    assert.match(refusal(good((b) => b.writeUInt32LE(0, 8))), /serial of 0/);
    assert.match(refusal(good((b) => b.writeUInt8(3, 1))), /error without errorName/);
    assert.match(refusal(good((b) => b.write('z', b.length - 2))), /none|at byte/);
    assert.match(refusal(good((b) => b.writeUInt8(0xff, b.length - 2))), /UTF-8/);
    assert.match(refusal(good((b) => b.writeUInt8(1, b.length - 1))), /NUL/);
    assert.match(refusal(good(() => {}).subarray(0, -1)), /bytes of a message of/);
    assert.match(refusal(Buffer.concat([good(() => {}), Buffer.alloc(4)])), /bytes of a message of/);
    assert.equal(refusal(good(() => {})), 'none');
    assert.equal(parsed(Buffer.alloc(0)), undefined);
  });

  it('may have a path of millions of elements', () => {
    const value = '/a'.repeat(4_000_000);
    const back = parse(marshal({ ...HELLO, path: value, args: [{ type: 'o', value }] }, 1));
    assert.deepEqual([back.path === value, back.args[0]?.value === value], [true, true]);
    for (const wrong of ['', 'a', '/a/', '//', '/a//b', '/a\n', '/ä'])
      assert.equal(isPath(wrong), false, wrong);
  });

  it('is refused with no more of a wrong name than its beginning', () => {
    const long = 'x'.repeat(1_000_000);
    for (const wrong of [{ path: `/${long}` }, { member: long }] as const) {
      const bytes = marshal({ ...HELLO, ...wrong }, 1);
      if (wrong.path) bytes[bytes.indexOf('/xxx')] = 'x'.charCodeAt(0);
      assert.ok(refusal(bytes).length < 200);
    }
  });

  it('with millions of signatures is checked about as fast as one with booleans', () => {
    const took = (type: string, item: string): number => {
      const items = Buffer.alloc(4 << 20, item, 'latin1');
      const bytes = marshal({ ...HELLO, args: [{ type: 'ay', value: items }] }, 1);
      bytes.write(type, bytes.indexOf('ay\0', 0, 'latin1'), 'latin1');
      const begin = performance.now();
      check(bytes);
      return performance.now() - begin;
    };
    /** More than 1,000 of them, so that a cache of the last ones does not help. */
    const different = (item: (letters: string) => string): string =>
      Array.from({ length: 1 << 11 }, (_, n) =>
        item([n >> 8, n >> 4, n].map((digit) => 'ybnqiuxtdsogybnq'[digit & 15]).join('')),
      ).join('');
    const booleans = took('ab', '\x01\0\0\0');
    const bound = 16 * booleans;
    assert.ok(took('ag', '\0\0') < bound);
    assert.ok(
      took(
        'ag',
        different((letters) => `\x06aa${letters}y\0`),
      ) < bound,
    );
    assert.ok(
      took(
        'av',
        different((letters) => `\x07aa(${letters})\0\0\0\0\0\0\0\0`),
      ) < bound,
    );
  });

  it('may be of a type that is not known yet', () => {
    const out = marshal(HELLO, 1);
    out.writeUInt8(9, 1);
    assert.equal(parse(out).type, 'unknown');
    out.writeUInt8(0, 1);
    assert.equal(parsed(out), undefined);
  });

  it('has values of all types, and variants that end', () => {
    const body = (signature: string, hex: string): Buffer => {
      const head = marshal({ ...HELLO, args: [{ type: 'i', value: 0 }] }, 1);
      const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
      // The signature is the last of the fields: "i" there becomes another of as many bytes.
      assert.equal(signature.length, 1);
      head.write(signature, head.lastIndexOf('i\0'));
      head.writeUInt32LE(bytes.length, 4);
      return Buffer.concat([head.subarray(0, -4), bytes]);
    };
    assert.equal(refusal(body('y', 'ff')), 'none');
    assert.equal(refusal(body('b', '01000000')), 'none');
    assert.match(refusal(body('b', '02000000')), /boolean/);
    assert.equal(refusal(body('d', '0000000000000000')), 'none');
    assert.equal(
      refusal(body('g', '03 617b73 00')),
      `not a signature: "a{s", at byte ${body('g', '').length}`,
    );
    assert.equal(refusal(body('g', '05 617b73767d 00')), 'none');
    assert.equal(refusal(body('v', '01 69 00 00 07000000')), 'none');
    assert.match(refusal(body('v', '01 69 00 01 07000000')), /padding/);
    assert.match(refusal(body('v', '02 6969 00')), /variant is of one type/);
    assert.match(refusal(body('v', `${'017600'.repeat(80)} 01 79 00 01`)), /too deep/);
  });
});

describe('a D-Bus message with an envelope', () => {
  const signal: DbusMessage = {
    ...{ type: 'signal', endian: 'big', path: '/a', interface: 'a.B', member: 'C' },
    args: [{ type: 's', value: 'x' }],
  };

  it('has the envelope as its last argument, in its last bytes', () => {
    const out = embedEnvelope('message', 7, 3, templateOf(signal));
    const { args, serial: n } = parse(out);
    assert.equal(out.length, templateOf(signal).length);
    assert.equal(n, 4);
    assert.deepEqual(args[0], signal.args[0]);
    assert.ok(args[1]?.value instanceof Uint8Array && Buffer.from(args[1].value).equals(out.subarray(-32)));
    assert.deepEqual(envelopeIn(out), { kind: 'message', nonce: 7, number: 3, intact: true });
  });

  it('is recognised when it is damaged, and the damage is found', () => {
    const out = embedEnvelope('message', 7, 3, templateOf(signal));
    const sound = envelopeIn(out);
    for (let at = 0; at < out.length * 8; at++) {
      const turned = Buffer.from(out);
      turned[at >> 3] = (turned[at >> 3] as number) ^ (1 << (at & 7));
      assert.notDeepEqual(envelopeIn(turned), sound, `bit ${at}`);
    }
    const short = envelopeIn(out.subarray(0, -1));
    assert.deepEqual([short?.number, short?.intact], [3, null]);
  });
});

const plain = (args: readonly Arg[]): unknown =>
  args.map((each) => (each.value instanceof Uint8Array ? [...each.value] : each));
