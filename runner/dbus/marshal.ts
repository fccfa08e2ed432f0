// SPDX-License-Identifier: MIT
/** A message → its bytes. What it is made of has been checked. */
import { type Arg, align, BIG, type DbusMessage, FIELDS, LITTLE, MESSAGE_TYPES, VERSION } from './message.ts';

/** Throws where an argument is of a type that is not sent. */
export function marshal(message: DbusMessage, serial: number): Buffer {
  const body = new Writer(message.endian);
  for (const arg of message.args) body.arg(arg);
  const head = new Writer(message.endian);
  head.bytes([
    message.endian === 'little' ? LITTLE : BIG,
    MESSAGE_TYPES.indexOf(message.type) + 1,
    0,
    VERSION,
  ]);
  head.uint32(body.length);
  head.uint32(serial);
  const fields = new Writer(message.endian);
  const signature = message.args.map((arg) => arg.type).join('');
  const values: Readonly<Record<string, unknown>> = { ...message, ...(signature !== '' && { signature }) };
  for (const { code, name, type } of FIELDS) {
    const value = values[name];
    if (value !== undefined) fields.field(code, type, value as string | number);
  }
  head.uint32(fields.length);
  head.bytes(fields.done());
  head.align(8);
  return Buffer.concat([head.done(), body.done()]);
}

class Writer {
  readonly #little: boolean;
  readonly #parts: Uint8Array[] = [];
  length = 0;

  constructor(endian: DbusMessage['endian']) {
    this.#little = endian === 'little';
  }

  done(): Buffer {
    return Buffer.concat(this.#parts, this.length);
  }

  bytes(bytes: ArrayLike<number>): void {
    this.#parts.push(Uint8Array.from(bytes));
    this.length += bytes.length;
  }

  align(to: number): void {
    this.bytes(new Uint8Array(align(this.length, to) - this.length));
  }

  uint32(value: number): void {
    this.align(4);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, this.#little);
    this.bytes(bytes);
  }

  /** Begins where the fields begin, at a multiple of 8. */
  field(code: number, type: 's' | 'o' | 'u' | 'g', value: string | number): void {
    this.align(8);
    this.bytes([code]);
    this.#signature(type);
    if (type === 'u') this.uint32(value as number);
    else if (type === 'g') this.#signature(value as string);
    else this.#text(value as string);
  }

  arg(arg: Arg): void {
    switch (arg.type) {
      case 's':
      case 'o':
        this.#text(arg.value);
        break;
      case 'i':
        this.uint32(arg.value >>> 0);
        break;
      case 'ay':
        this.uint32(arg.value.length);
        this.bytes(arg.value);
        break;
      case 'other':
        throw new Error(`an argument of the type ${arg.signature} is not sent`);
    }
  }

  #text(text: string): void {
    const bytes = Buffer.from(`${text}\0`);
    this.uint32(bytes.length - 1);
    this.bytes(bytes);
  }

  #signature(signature: string): void {
    this.bytes([signature.length]);
    this.bytes(Buffer.from(`${signature}\0`));
  }
}
