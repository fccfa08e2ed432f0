// SPDX-License-Identifier: MIT
/** Turns bytes into values, with the same checks as dbus-daemon. Throws nothing but NotDbus. */
import { isUtf8 } from 'node:buffer';
import { align, type Endian, MAX_ARRAY, MAX_DEPTH } from './marshal.ts';
import { isPath } from './names.ts';
import { NotDbus, quoted } from './refusal.ts';
import { isSignature } from './signature.ts';
import { type Type, typeIn, typesOf } from './type.ts';
import type { Arg, Value } from './value.ts';

/** Reads the values in a part of a message, one after the other. */
export class Reader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #little: boolean;
  #end: number;
  at: number;

  /** Positions, and so alignment, count from the message's first byte. */
  constructor(bytes: Uint8Array, endian: Endian, start: number, end: number) {
    if (end > bytes.length) throw new NotDbus(`the message ends before byte ${end}`, bytes.length);
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#little = endian === 'little';
    this.at = start;
    this.#end = end;
  }

  get atEnd(): boolean {
    return this.at >= this.#end;
  }

  align(to: number): void {
    const start = this.#take(align(this.at, to) - this.at);
    for (let at = start; at < this.at; at++)
      if (this.#bytes[at] !== 0) throw new NotDbus('padding that is not zero', start);
  }

  byte(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  uint32(): number {
    this.align(4);
    return this.#view.getUint32(this.#take(4), this.#little);
  }

  text(): string {
    return this.#string(this.#text());
  }

  path(): string {
    const start = this.at;
    const path = this.text();
    if (!isPath(path)) throw new NotDbus(`not an object path: ${quoted(path)}`, start);
    return path;
  }

  signature(): string {
    return this.#string(this.#signature());
  }

  /** Throws NotDbus for any value that is invalid for the type. */
  value(type: Type, depth = 0): Value {
    this.#enter(type, depth);
    switch (type.code) {
      case 'a':
        return this.#array(type.inside[0] as Type, depth);
      case '(':
        return type.inside.map((member) => this.value(member, depth + 1));
      case 'v': {
        const inner = this.#variantType();
        return { type: inner.signature, value: this.value(inner, depth + 1) };
      }
      case 'b':
        return this.#boolean();
      case 's':
        return this.text();
      case 'o':
        return this.path();
      case 'g':
        return this.signature();
      default:
        return this.#number(type.code);
    }
  }

  /** Checks a value and skips it. */
  skip(type: Type, depth = 0): void {
    this.#enter(type, depth);
    if (type.size !== undefined) this.#take(type.size);
    else if (type.code === 'a') this.#skipArray(type.inside[0] as Type, depth);
    else if (type.code === 'v') this.skip(this.#variantType(), depth + 1);
    else if (type.code === '(' || type.code === '{')
      for (const member of type.inside) this.skip(member, depth + 1);
    else if (type.code === 's') this.#text();
    else if (type.code === 'o') this.path();
    else if (type.code === 'g') this.#signature();
    else this.#boolean();
  }

  #enter(type: Type, depth: number): void {
    if (depth > MAX_DEPTH) throw new NotDbus('containers nested too deep', this.at);
    this.align(type.alignment);
  }

  #number(code: string): number | bigint {
    const view = this.#view;
    if (code === 'y') return this.byte();
    if (code === 'n') return view.getInt16(this.#take(2), this.#little);
    if (code === 'q') return view.getUint16(this.#take(2), this.#little);
    if (code === 'i') return view.getInt32(this.#take(4), this.#little);
    if (code === 'x') return view.getBigInt64(this.#take(8), this.#little);
    if (code === 't') return view.getBigUint64(this.#take(8), this.#little);
    if (code === 'd') return view.getFloat64(this.#take(8), this.#little);
    return view.getUint32(this.#take(4), this.#little);
  }

  #boolean(): boolean {
    const value = this.uint32();
    if (value > 1) throw new NotDbus(`a boolean of value ${value}`, this.at - 4);
    return value === 1;
  }

  #variantType(): Type {
    const { at } = this;
    const start = this.#signature();
    const type = typeIn(this.#bytes, start, this.at - 1);
    if (type !== undefined) return type;
    throw new NotDbus(`a variant is of one type, not of "${this.#string(start)}"`, at);
  }

  /** Its position. */
  #signature(): number {
    const { at } = this;
    const start = this.#terminated(this.byte());
    if (isSignature(this.#bytes, start, this.at - 1)) return start;
    throw new NotDbus(`not a signature: ${quoted(this.#string(start))}`, at);
  }

  /** Reads the items with a reader of their own, so that none can reach past the array's end. */
  #array(item: Type, depth: number): Value {
    const inside = this.#arrayBytes(item);
    if (item.code === 'y') return this.#bytes.subarray(inside.at, this.at);
    if (item.code === '{') return inside.#entries(item, depth + 1);
    const items: Value[] = [];
    while (!inside.atEnd) items.push(inside.value(item, depth + deeper(item)));
    return items;
  }

  /** If a key occurs twice, the last value counts. */
  #entries({ inside: [key, value], alignment }: Type, depth: number): ReadonlyMap<Value, Value> {
    const map = new Map<Value, Value>();
    while (!this.atEnd) {
      this.align(alignment);
      const name = this.value(key as Type, depth + 1);
      map.set(name, this.value(value as Type, depth + 1));
    }
    return map;
  }

  /** Without a reader for the items, since there may be millions of arrays in one. After an error, nobody reads on. */
  #skipArray(item: Type, depth: number): void {
    const { at: start } = this;
    const length = this.#arrayLength(item);
    const end = this.#end;
    const inside = this.#take(length);
    if (item.size !== undefined) {
      if (length % item.size !== 0) throw new NotDbus('an array that ends inside an item', start);
      return;
    }
    this.#end = this.at;
    this.at = inside;
    while (!this.atEnd) this.skip(item, depth + 1);
    this.#end = end;
  }

  /** The bytes of an array's items, which this reader skips. */
  #arrayBytes(item: Type): Reader {
    const start = this.#take(this.#arrayLength(item));
    return new Reader(this.#bytes, this.#little ? 'little' : 'big', start, this.at);
  }

  #arrayLength(item: Type): number {
    const length = this.uint32();
    if (length > MAX_ARRAY) throw new NotDbus(`an array of ${length} bytes`, this.at - 4);
    this.align(item.alignment);
    return length;
  }

  #text(): number {
    const length = this.uint32();
    return this.#terminated(length);
  }

  /** Reads a text of that length and a NUL; returns its position. */
  #terminated(length: number): number {
    const start = this.#take(length);
    if (this.byte() !== 0) throw new NotDbus('a string without a NUL at its end', this.at - 1);
    if (!this.#isPlain(start, length)) this.#checkText(start, length);
    return start;
  }

  /** Whether it is short, and of ASCII: a message may have millions of such texts, and a view of each costs more. */
  #isPlain(start: number, length: number): boolean {
    if (length > SHORT) return false;
    for (let at = start; at < start + length; at++) {
      const byte = this.#bytes[at] as number;
      if (byte === 0 || byte > 0x7f) return false;
    }
    return true;
  }

  #checkText(start: number, length: number): void {
    const bytes = this.#bytes.subarray(start, start + length);
    if (bytes.includes(0)) throw new NotDbus('a string with a NUL inside', start);
    if (!isUtf8(bytes)) throw new NotDbus('a string that is not UTF-8', start);
  }

  /** The engine knows all texts of one character. */
  #string(start: number): string {
    const length = this.at - 1 - start;
    if (length > 1) return this.#bytes.toString('utf8', start, this.at - 1);
    return length === 0 ? '' : String.fromCharCode(this.#bytes[start] as number);
  }

  #take(length: number): number {
    const start = this.at;
    if (length > this.#end - start) throw new NotDbus('the message ends inside a value', start);
    this.at = start + length;
    return start;
  }
}

/** Bytes of a text that are looked at one after the other. */
const SHORT = 32;

/** Items of a fixed size do not count as a level: dbus-daemon does not check each of them. */
const deeper = ({ size }: Type): number => (size === undefined ? 1 : 0);

/** The arguments in a body. Throws NotDbus if the body does not agree with its signature. */
export function unmarshalBody(bytes: Uint8Array, endian: Endian, start: number, signature: string): Arg[] {
  const reader = new Reader(bytes, endian, start, bytes.length);
  const args = bodyTypes(signature, reader).map((type) => ({
    type: type.signature,
    value: reader.value(type),
  }));
  checkEnd(reader);
  return args;
}

/** Throws NotDbus if a body does not agree with its signature. */
export function checkBody(bytes: Uint8Array, endian: Endian, start: number, signature: string): void {
  const reader = new Reader(bytes, endian, start, bytes.length);
  for (const type of bodyTypes(signature, reader)) reader.skip(type);
  checkEnd(reader);
}

function bodyTypes(signature: string, reader: Reader): readonly Type[] {
  const types = typesOf(signature);
  if (types === undefined) throw new NotDbus(`not a signature: ${quoted(signature)}`, reader.at);
  return types;
}

function checkEnd(reader: Reader): void {
  if (!reader.atEnd) throw new NotDbus('the body is longer than its signature says', reader.at);
}
