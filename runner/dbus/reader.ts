// SPDX-License-Identifier: MIT
/** Values in a stretch of a message. Every call throws NotDbus where they are none. */
import { type Arg, align, MAX_ARRAY } from './message.ts';
import { isPath } from './names.ts';
import { NotDbus } from './refusal.ts';
import { alignmentOf, completeTypes } from './signature.ts';

/** Variants, arrays and structures inside each other. */
const DEPTH = 64;
const FIXED: Readonly<Record<string, number>> = { y: 1, n: 2, q: 2, i: 4, u: 4, h: 4, x: 8, t: 8, d: 8 };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #little: boolean;
  readonly #end: number;
  at: number;

  /** Places count from the message's first byte, which alignment is about. */
  constructor(bytes: Uint8Array, little: boolean, start: number, end: number) {
    if (end > bytes.length) throw new NotDbus(`${bytes.length} bytes where ${end} were said`, start);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#little = little;
    this.at = start;
    this.#end = end;
  }

  get atEnd(): boolean {
    return this.at === this.#end;
  }

  /** Padding is of zeros. */
  align(to: number): void {
    const start = this.at;
    for (const byte of this.#take(align(start, to) - start))
      if (byte !== 0) throw new NotDbus('padding that is not zero', start);
  }

  byte(): number {
    return this.#take(1)[0] as number;
  }

  uint32(): number {
    this.align(4);
    const start = this.at;
    this.#take(4);
    return this.#view.getUint32(start, this.#little);
  }

  text(): string {
    const length = this.uint32();
    return this.#terminated(length);
  }

  path(): string {
    const start = this.at;
    const path = this.text();
    if (!isPath(path)) throw new NotDbus(`no object path: ${JSON.stringify(path)}`, start);
    return path;
  }

  signature(): string {
    const start = this.at;
    const signature = this.#terminated(this.byte());
    if (completeTypes(signature) === undefined)
      throw new NotDbus(`no signature: ${JSON.stringify(signature)}`, start);
    return signature;
  }

  /** Of a signature that was read, or of none. */
  types(signature: string): readonly string[] {
    return completeTypes(signature) ?? [];
  }

  arg(type: string): Arg {
    if (type === 's') return { type, value: this.text() };
    if (type === 'o') return { type, value: this.path() };
    if (type === 'i') return { type, value: this.uint32() | 0 };
    if (type === 'ay') return { type, value: this.#take(this.#arrayLength()) };
    this.#skip(type, 0);
    return { type: 'other', signature: type };
  }

  /** Passes over the value of a variant: one complete type. */
  single(signature: string, depth: number): void {
    const [type, ...others] = this.types(signature);
    if (type === undefined || others.length > 0)
      throw new NotDbus(`a variant of the types "${signature}"`, this.at);
    this.#skip(type, depth);
  }

  #skip(type: string, depth: number): void {
    if (depth > DEPTH) throw new NotDbus('values too deep in each other', this.at);
    this.align(alignmentOf(type));
    const [code = ''] = type;
    const size = FIXED[code];
    if (size !== undefined) this.#take(size);
    else if (code === 'b') this.#boolean();
    else if (code === 's') this.text();
    else if (code === 'o') this.path();
    else if (code === 'g') this.signature();
    else if (code === 'v') this.single(this.signature(), depth + 1);
    else if (code === 'a') this.#array(type.slice(1), depth);
    else for (const each of this.types(type.slice(1, -1))) this.#skip(each, depth + 1);
  }

  #boolean(): void {
    const start = this.at;
    if (this.uint32() > 1) throw new NotDbus('a boolean that is neither 0 nor 1', start);
  }

  #array(item: string, depth: number): void {
    const length = this.#arrayLength();
    this.align(alignmentOf(item));
    const start = this.at;
    this.#take(length);
    const inside = new Reader(this.#bytes, this.#little, start, this.at);
    const size = FIXED[item];
    if (size !== undefined && length % size === 0) return;
    while (!inside.atEnd) inside.#skip(item, depth + 1);
  }

  #arrayLength(): number {
    const start = this.at;
    const length = this.uint32();
    if (length > MAX_ARRAY) throw new NotDbus(`an array of ${length} bytes`, start);
    return length;
  }

  /** So many bytes of text, and a NUL behind it and nowhere else. */
  #terminated(length: number): string {
    const start = this.at;
    const bytes = this.#take(length);
    if (this.byte() !== 0 || bytes.includes(0))
      throw new NotDbus('a text with a NUL inside, or none behind', start);
    try {
      return utf8.decode(bytes);
    } catch {
      throw new NotDbus('a text that is no UTF-8', start);
    }
  }

  #take(length: number): Uint8Array {
    const start = this.at;
    if (length > this.#end - start) throw new NotDbus('the message ends inside a value', start);
    this.at = start + length;
    return this.#bytes.subarray(start, this.at);
  }
}
