// SPDX-License-Identifier: MIT
/** Values → bytes. Every value is checked against its type, so that only valid D-Bus can come of it. */
import { isPath } from './names.ts';
import { type Type, typeOf, typesOf } from './type.ts';
import type { Arg, Value, Variant } from './value.ts';

/** Bytes of an array (D-Bus Specification, "Marshaling"). */
export const MAX_ARRAY = 64 * 1024 * 1024;
/** Containers inside containers, as values: as deep as 32 arrays in 32 structures. */
export const MAX_DEPTH = 64;

export type Endian = 'little' | 'big';

/** A value that its type does not have: what is wrong with it, and which part of it. */
export class BadValue extends TypeError {
  override readonly name = 'BadValue';
  /** Indexes and keys from the outside in: `1`, `Powered`. */
  readonly path: readonly string[];
  readonly problem: string;

  constructor(problem: string, path: readonly string[] = []) {
    super(path.length === 0 ? problem : `${path.join(', ')}: ${problem}`);
    this.problem = problem;
    this.path = path;
  }
}

/** The next multiple of a power of two. */
export const align = (at: number, to: number): number => (at + to - 1) & -to;

/** Bytes that grow, and values put at their end. Alignment counts from the first byte. */
export class Writer {
  readonly #little: boolean;
  #bytes = Buffer.alloc(256);
  #view = viewOf(this.#bytes);
  #length = 0;

  constructor(endian: Endian) {
    this.#little = endian === 'little';
  }

  get length(): number {
    return this.#length;
  }

  /** What was written. The writer must not be used afterwards. */
  done(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Padding is of zeros. */
  align(to: number): void {
    this.#extend(align(this.#length, to) - this.#length);
  }

  bytes(bytes: Uint8Array): void {
    const at = this.#extend(bytes.length);
    this.#bytes.set(bytes, at);
  }

  byte(value: number): void {
    const at = this.#extend(1);
    this.#view.setUint8(at, value);
  }

  uint32(value: number): void {
    this.align(4);
    this.setUint32(this.#extend(4), value);
  }

  /** Overwrites a number that was written before. */
  setUint32(at: number, value: number): void {
    this.#view.setUint32(at, value, this.#little);
  }

  signature(text: string): void {
    if (typesOf(text) === undefined) throw new BadValue(`not a signature: ${show(text)}`);
    this.byte(text.length);
    this.bytes(Buffer.from(`${text}\0`, 'latin1'));
  }

  text(text: string): void {
    if (text.includes('\0')) throw new BadValue('a D-Bus string cannot contain NUL');
    if (!text.isWellFormed()) throw new BadValue('half of a surrogate pair is no character');
    const bytes = Buffer.from(`${text}\0`);
    this.uint32(bytes.length - 1);
    this.bytes(bytes);
  }

  value(type: Type, value: Value, depth = 0): void {
    if (depth > MAX_DEPTH) throw new BadValue(`containers are nested deeper than ${MAX_DEPTH}`);
    this.align(type.alignment);
    if (type.code === 'a') this.#array(type.inside[0] as Type, value, depth);
    else if (type.code === '(') this.#structure(type, value, depth);
    else if (type.code === 'v') this.#variant(value, depth);
    else this.#basic(type.code, value);
  }

  #basic(code: string, value: Value): void {
    if (code === 'b') this.uint32(expect(value, 'boolean', 'true or false') ? 1 : 0);
    else if (code === 's') this.text(expect(value, 'string', 'a string'));
    else if (code === 'g') this.signature(expect(value, 'string', 'a signature'));
    else if (code === 'o') this.#path(expect(value, 'string', 'an object path'));
    else if (code === 'x' || code === 't') this.#int64(code, value);
    else this.#number(code, expect(value, 'number', 'a number'));
  }

  #path(path: string): void {
    if (!isPath(path)) throw new BadValue(`not an object path: ${show(path)}`);
    this.text(path);
  }

  #int64(code: 'x' | 't', value: Value): void {
    const number = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
    const whole = expect(number, 'bigint', 'a bigint');
    const cut = code === 'x' ? BigInt.asIntN(64, whole) : BigInt.asUintN(64, whole);
    if (cut !== whole) throw new BadValue(`${whole} is out of the range of type ${code}`);
    const at = this.#extend(8);
    this.#view.setBigUint64(at, BigInt.asUintN(64, whole), this.#little);
  }

  #number(code: string, value: number): void {
    if (code === 'd') {
      const at = this.#extend(8);
      this.#view.setFloat64(at, value, this.#little);
      return;
    }
    const [least, most] = RANGES[code] as readonly [number, number];
    if (!Number.isInteger(value) || value < least || value > most)
      throw new BadValue(`expected a whole number from ${least} to ${most} for type ${code}, got ${value}`);
    if (code === 'y') this.byte(value);
    else if (code === 'n' || code === 'q') this.#uint16(value & 0xffff);
    else this.uint32(value >>> 0);
  }

  #uint16(value: number): void {
    const at = this.#extend(2);
    this.#view.setUint16(at, value, this.#little);
  }

  #array(item: Type, value: Value, depth: number): void {
    const items = itemsOf(item, value);
    const at = this.#length;
    this.uint32(0);
    this.align(item.alignment);
    const start = this.#length;
    if (items instanceof Uint8Array) this.bytes(items);
    else
      for (const [key, each] of items)
        inside(key, () => this.#item(item, each, item.size === undefined ? depth + 1 : depth));
    const length = this.#length - start;
    if (length > MAX_ARRAY) throw new BadValue(`an array has at most ${MAX_ARRAY} bytes, not ${length}`);
    this.setUint32(at, length);
  }

  #item(item: Type, value: Value, depth: number): void {
    if (item.code !== '{') this.value(item, value, depth);
    else this.#structure(item, value, depth);
  }

  #structure(type: Type, value: Value, depth: number): void {
    const members = Array.isArray(value) ? (value as readonly Value[]) : [];
    if (members.length !== type.inside.length)
      throw new BadValue(
        `expected ${type.inside.length} members for type ${type.signature}, got ${show(value)}`,
      );
    this.align(type.alignment);
    for (const [n, member] of type.inside.entries())
      inside(String(n), () => this.value(member, members[n] as Value, depth + 1));
  }

  #variant(value: Value, depth: number): void {
    if (!isVariant(value)) throw new BadValue(`expected { type, value } for a variant, got ${show(value)}`);
    const type = typeOf(value.type);
    if (type === undefined) throw new BadValue(`not one complete type: ${show(value.type)}`);
    this.signature(value.type);
    this.value(type, value.value, depth + 1);
  }

  /** Zeros at the end; where they begin. May replace #bytes and #view. */
  #extend(by: number): number {
    const at = this.#length;
    this.#length += by;
    if (this.#length > this.#bytes.length) this.#grow();
    return at;
  }

  #grow(): void {
    const larger = Buffer.alloc(2 * this.#length);
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = viewOf(larger);
  }
}

/** The body that these arguments make. Throws BadValue. */
export function marshalBody(args: readonly Arg[], endian: Endian): Buffer {
  const writer = new Writer(endian);
  for (const [n, { type: signature, value }] of args.entries()) {
    const type = typeOf(signature);
    if (type === undefined) throw new BadValue(`not one complete type: ${show(signature)}`, [String(n)]);
    inside(String(n), () => writer.value(type, value));
  }
  return writer.done();
}

export const isVariant = (value: Value): value is Variant =>
  typeof value === 'object' &&
  value !== null &&
  'type' in value &&
  'value' in value &&
  typeof value.type === 'string';

const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  y: [0, 0xff],
  n: [-0x8000, 0x7fff],
  q: [0, 0xffff],
  i: [-0x8000_0000, 0x7fff_ffff],
  u: [0, 0xffff_ffff],
  h: [0, 0xffff_ffff],
};

/** What an array's value holds, each with what errors call it. */
function itemsOf(item: Type, value: Value): Uint8Array | Iterable<readonly [string, Value]> {
  if (value instanceof Uint8Array && item.code === 'y') return value;
  if (item.code === '{' && value instanceof Map) return entriesOf(value);
  if (item.code === '{' && isRecord(value)) return entriesOf(Object.entries(value));
  if (!Array.isArray(value)) throw new BadValue(`expected an array of ${item.signature}, got ${show(value)}`);
  return (value as readonly Value[]).map((each, n) => [String(n), each] as const);
}

function* entriesOf(entries: Iterable<readonly [Value, Value]>): Generator<readonly [string, Value]> {
  for (const [key, value] of entries) yield [String(key), [key, value]];
}

const isRecord = (value: Value): value is { readonly [key: string]: Value } =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** Says of a bad value inside another in which part of it that is. */
function inside(part: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    if (error instanceof BadValue) throw new BadValue(error.problem, [part, ...error.path]);
    throw error;
  }
}

interface Primitives {
  boolean: boolean;
  string: string;
  number: number;
  bigint: bigint;
}

function expect<T extends keyof Primitives>(value: Value, type: T, what: string): Primitives[T] {
  if (typeof value === type) return value as Primitives[T];
  throw new BadValue(`expected ${what}, got ${show(value)}`);
}

function show(value: Value): string {
  if (typeof value === 'bigint') return `${value}n`;
  const text =
    JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}n` : each)) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

const viewOf = ({ buffer, byteOffset, length }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, length);
