// SPDX-License-Identifier: MIT
// Values of every type to bytes and back.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  type Arg,
  BadValue,
  type DbusMessage,
  marshal,
  NotDbus,
  parse,
  type Type,
  typeOf,
  typesOf,
  type Value,
} from '../../../runner/dbus/index.ts';
import fc from '../../helpers/drawn.ts';

const SIGNAL: DbusMessage = {
  ...{ type: 'signal', endian: 'little', path: '/a', interface: 'a.B', member: 'C' },
  args: [],
};

const basic = fc.constantFrom(...'ybnqiuxtdhsog');
const { complete } = fc.letrec<{ complete: string }>((tie) => ({
  complete: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    basic,
    fc.constant('v'),
    tie('complete').map((item) => `a${item}`),
    fc.array(tie('complete'), { minLength: 1, maxLength: 3 }).map((members) => `(${members.join('')})`),
    fc.tuple(basic, tie('complete')).map(([key, value]) => `a{${key}${value}}`),
  ),
}));

const text = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((each) => !each.includes('\0'));
const BASIC: Readonly<Record<string, fc.Arbitrary<Value>>> = {
  y: fc.integer({ min: 0, max: 255 }),
  b: fc.boolean(),
  n: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }),
  q: fc.integer({ min: 0, max: 2 ** 16 - 1 }),
  i: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  u: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  h: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  x: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  t: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  d: fc.double({ noNaN: true }),
  s: text,
  o: fc.stringMatching(/^(\/[A-Za-z0-9_]{1,5}){1,3}$/),
  g: fc.array(complete, { maxLength: 3 }).map((types) => types.join('')),
};

function valueFor({ code, inside }: Type): fc.Arbitrary<Value> {
  const simple = BASIC[code];
  if (simple !== undefined) return simple;
  if (code === 'v')
    return basic.chain((type) => (BASIC[type] as fc.Arbitrary<Value>).map((value) => ({ type, value })));
  if (code === '(') return fc.tuple(...inside.map(valueFor));
  const [item] = inside as readonly [Type];
  if (item.code === 'y') return fc.uint8Array({ maxLength: 9 });
  if (item.code !== '{') return fc.array(valueFor(item), { maxLength: 3 });
  const [key, value] = item.inside.map(valueFor) as [fc.Arbitrary<Value>, fc.Arbitrary<Value>];
  return fc.array(fc.tuple(key, value), { maxLength: 3 }).map((entries) => new Map(entries));
}

const args: fc.Arbitrary<Arg[]> = fc.array(
  complete.chain((type) => valueFor(typeOf(type) as Type).map((value) => ({ type, value }))),
  { maxLength: 4 },
);

const roundTrip = (type: string, value: Value): Value | undefined =>
  parse(marshal({ ...SIGNAL, args: [{ type, value }] }, 1)).args[0]?.value;

const refusal = (type: string, value: Value): string => {
  try {
    roundTrip(type, value);
  } catch (error) {
    assert.ok(error instanceof BadValue);
    return error.message;
  }
  return 'none';
};

describe('a D-Bus value', () => {
  it('comes back as it was, in both byte orders', () => {
    fc.assert(
      fc.property(args, fc.constantFrom('little' as const, 'big' as const), (all, endian) => {
        const bytes = marshal({ ...SIGNAL, endian, args: all }, 1);
        const back = parse(bytes).args;
        assert.deepEqual(plain(back), plain(all));
        assert.deepEqual(marshal({ ...SIGNAL, endian, args: back }, 1), bytes);
      }),
    );
  });

  it('is refused without any other error, whatever the bytes', () => {
    const damaged = fc.tuple(args, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }));
    fc.assert(
      fc.property(damaged, ([all, changes]) => {
        const bytes = marshal({ ...SIGNAL, args: all }, 1);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        try {
          parse(bytes);
        } catch (error) {
          assert.ok(error instanceof NotDbus, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps the types of variants', () => {
    const value = new Map<Value, Value>([['Level', { type: 'u', value: 7 }]]);
    assert.deepEqual(roundTrip('a{sv}', value), value);
    assert.deepEqual(roundTrip('a{sv}', { Level: { type: 'u', value: 7 } }), value);
    const nested = { type: 'v', value: { type: 'v', value: { type: '(ii)', value: [1, 2] } } };
    assert.deepEqual(roundTrip('v', nested), nested);
  });

  it('has the whole range of its type, and no more', () => {
    assert.equal(roundTrip('x', -(2n ** 63n)), -(2n ** 63n));
    assert.equal(roundTrip('t', 2n ** 64n - 1n), 2n ** 64n - 1n);
    assert.equal(roundTrip('x', -5), -5n);
    assert.equal(refusal('x', 2n ** 63n), '0: 9223372036854775808 is out of the range of type x');
    assert.equal(refusal('t', -1n), '0: -1 is out of the range of type t');
    assert.match(refusal('t', 2 ** 60), /expected a bigint/);
    assert.match(refusal('y', 256), /from 0 to 255 for type y, got 256/);
    assert.match(refusal('n', -32769), /from -32768 to 32767/);
    assert.match(refusal('i', 0.5), /whole number/);
    assert.match(refusal('b', 1), /true or false, got 1/);
    assert.match(refusal('s', 'a\0b'), /NUL/);
    assert.match(refusal('s', '\ud800'), /surrogate/);
    assert.match(refusal('o', '/a/'), /object path/);
    assert.match(refusal('g', 'a'), /not a signature/);
  });

  it('is refused with the place of the mistake', () => {
    assert.equal(
      refusal('a{sv}', { Level: { type: 'u', value: 'x' } }),
      '0, Level, 1: expected a number, got "x"',
    );
    assert.equal(refusal('(is)', [1]), '0: expected 2 members for type (is), got [1]');
    assert.equal(refusal('v', 5), '0: expected { type, value } for a variant, got 5');
    assert.equal(refusal('v', { type: 'ii', value: 5 }), '0: not one complete type: "ii"');
    assert.equal(refusal('ai', 'x'), '0: expected an array of i, got "x"');
    assert.equal(refusal('zz', 1), '0: not one complete type: "zz"');
  });

  it('may be nested as deeply as D-Bus allows, and no deeper', () => {
    const variants = (depth: number): Value => {
      let value: Value = { type: 'y', value: 1 };
      for (let n = 1; n < depth; n++) value = { type: 'v', value };
      return value;
    };
    assert.deepEqual(roundTrip('v', variants(64)), variants(64));
    assert.match(refusal('v', variants(65)), /nested deeper than 64/);
    assert.ok(typeOf(`${'a'.repeat(32)}y`));
    assert.equal(typeOf(`${'a'.repeat(33)}y`), undefined);
    assert.ok(typeOf(`${'('.repeat(32)}y${')'.repeat(32)}`));
    assert.equal(typeOf(`${'('.repeat(33)}y${')'.repeat(33)}`), undefined);
    assert.ok(typesOf('y'.repeat(255)));
    assert.equal(typesOf('y'.repeat(256)), undefined);
  });
});

/** deepEqual of a Buffer and a Uint8Array of the same bytes fails. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (value instanceof Map) return [...value].map(plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
  return value;
}
