// SPDX-License-Identifier: MIT
/** Headers of messages (D-Bus Specification, "Message Format"). */
import { align, type Endian, Writer } from './marshal.ts';
import { isBusName, isErrorName, isInterface, isMember } from './names.ts';
import { NotDbus, quoted } from './refusal.ts';
import { typeOf } from './type.ts';
import { Reader } from './unmarshal.ts';

export const MESSAGE_TYPES = ['method_call', 'method_return', 'error', 'signal'] as const;
export type MessageType = (typeof MESSAGE_TYPES)[number];

/** Bits of a header's flags. */
export const NO_REPLY_EXPECTED = 1;
export const NO_AUTO_START = 2;

/** The values of header fields; absent fields are not set. */
export interface Fields {
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly errorName?: string;
  /** The serial of the message that this one answers. */
  readonly replySerial?: number;
  readonly destination?: string;
  readonly sender?: string;
  readonly signature?: string;
  /** The number of descriptors that come with the message. */
  readonly unixFds?: number;
}

type Name = keyof Fields;

/** Header fields by their code, each with its type. */
const FIELDS = [
  { code: 1, name: 'path', type: 'o' },
  { code: 2, name: 'interface', type: 's' },
  { code: 3, name: 'member', type: 's' },
  { code: 4, name: 'errorName', type: 's' },
  { code: 5, name: 'replySerial', type: 'u' },
  { code: 6, name: 'destination', type: 's' },
  { code: 7, name: 'sender', type: 's' },
  { code: 8, name: 'signature', type: 'g' },
  { code: 9, name: 'unixFds', type: 'u' },
] as const;
const SENDER = 7;

/** Fields that a message of a type must have. */
export const REQUIRED = {
  method_call: ['path', 'member'],
  method_return: ['replySerial'],
  error: ['errorName', 'replySerial'],
  signal: ['path', 'interface', 'member'],
} as const satisfies Record<MessageType, readonly Name[]>;

export interface Header extends Fields {
  readonly endian: Endian;
  /** `unknown`: of a later version of the protocol. */
  readonly type: MessageType | 'unknown';
  readonly flags: number;
  /** Never 0. */
  readonly serial: number;
  /** Index of the body's first byte; the body ends with the message. */
  readonly bodyStart: number;
}

/** Bytes of a whole message. */
export const MAX_MESSAGE = 128 * 1024 * 1024;
/** Byte order, type, flags, version, body length, serial, and the length of the fields. */
export const FIXED_HEADER = 16;
export const SERIAL_AT = 8;
const BODY_LENGTH_AT = 4;
const FIELDS_LENGTH_AT = 12;
const VERSION = 1;
export const LITTLE = 0x6c; // "l"
const BIG = 0x42; // "B"
/** Nesting of a field's value: in a variant, in a structure, in an array. */
const FIELD_DEPTH = 3;

/** The length of a message according to its header; undefined if these bytes are no valid beginning. */
export function lengthOf(bytes: Uint8Array): number | undefined {
  const [order, type, , version] = bytes;
  if (bytes.length < FIXED_HEADER || (order !== LITTLE && order !== BIG) || type === 0 || version !== VERSION)
    return undefined;
  const view = viewOf(bytes);
  const little = order === LITTLE;
  const fields = align(FIXED_HEADER + view.getUint32(FIELDS_LENGTH_AT, little), 8);
  return fields + view.getUint32(BODY_LENGTH_AT, little);
}

/** Bytes of a message's header fields. */
export const fieldsLength = (bytes: Uint8Array): number =>
  viewOf(bytes).getUint32(FIELDS_LENGTH_AT, bytes[0] === LITTLE);

/** The header of the message that consists of these bytes. Throws NotDbus. */
export function readHeader(bytes: Uint8Array): Header {
  const { endian, type, serial, fieldsEnd, bodyLength } = readFixed(bytes);
  const reader = new Reader(bytes, endian, FIXED_HEADER, fieldsEnd);
  const fields = readFields(reader);
  const bodyStart = align(fieldsEnd, 8);
  new Reader(bytes, endian, fieldsEnd, bodyStart).align(8);
  const header: Header = { endian, type, flags: bytes[2] as number, serial, bodyStart, ...fields };
  checkRequired(header);
  checkLocal(header);
  checkBodyLength(header, bodyLength);
  return header;
}

/** A body without values has no bytes. */
function checkBodyLength({ signature = '', bodyStart }: Header, length: number): void {
  if (signature === '' && length > 0) throw new NotDbus('a body without a signature', bodyStart);
  if (signature !== '' && length === 0) throw new NotDbus('a signature without a body', bodyStart);
}

function readFixed(bytes: Uint8Array) {
  const length = lengthOf(bytes);
  if (length === undefined) throw new NotDbus('no header of a message', 0);
  if (length > MAX_MESSAGE) throw new NotDbus(`a message of ${length} bytes`, BODY_LENGTH_AT);
  if (length !== bytes.length)
    throw new NotDbus(`${bytes.length} bytes of a message of ${length}`, BODY_LENGTH_AT);
  const view = viewOf(bytes);
  const little = bytes[0] === LITTLE;
  const serial = view.getUint32(SERIAL_AT, little);
  if (serial === 0) throw new NotDbus('a serial of 0', SERIAL_AT);
  return {
    endian: little ? ('little' as const) : ('big' as const),
    type: MESSAGE_TYPES[(bytes[1] as number) - 1] ?? ('unknown' as const),
    serial,
    bodyLength: view.getUint32(BODY_LENGTH_AT, little),
    fieldsEnd: FIXED_HEADER + view.getUint32(FIELDS_LENGTH_AT, little),
  };
}

/** Reads an array of structures of a byte and a variant. Unknown codes are skipped. */
function readFields(reader: Reader): Fields {
  const fields: { [name in Name]?: unknown } = {};
  while (!reader.atEnd) {
    const { at, code } = fieldCode(reader);
    const signature = reader.signature();
    const known = FIELDS[code - 1];
    if (known === undefined) skipField(reader, signature, at);
    else if (signature !== known.type)
      throw new NotDbus(`a header field of code ${code} and type "${signature}"`, at);
    else if (fields[known.name] !== undefined) throw new NotDbus(`two header fields of code ${code}`, at);
    else fields[known.name] = readField(reader, known);
  }
  return fields as Fields;
}

function fieldCode(reader: Reader) {
  reader.align(8);
  const { at } = reader;
  const code = reader.byte();
  if (code === 0) throw new NotDbus('a header field of code 0', at);
  return { at, code };
}

function skipField(reader: Reader, signature: string, at: number): void {
  const type = typeOf(signature);
  if (type === undefined) throw new NotDbus(`a header field of the types "${signature}"`, at);
  reader.skip(type, FIELD_DEPTH);
}

const VALID: { readonly [name in Name]?: (text: string) => boolean } = {
  interface: isInterface,
  member: isMember,
  errorName: isErrorName,
  destination: isBusName,
  sender: isBusName,
};

function readField(reader: Reader, { name, type }: (typeof FIELDS)[number]): string | number {
  const { at } = reader;
  if (type === 'g') return reader.signature();
  if (type === 'o') return reader.path();
  if (type === 'u') {
    const value = reader.uint32();
    if (value === 0 && name === 'replySerial') throw new NotDbus('an answer to the serial 0', at);
    return value;
  }
  const text = reader.text();
  if (!VALID[name]?.(text)) throw new NotDbus(`not valid as ${name}: ${quoted(text)}`, at);
  return text;
}

function checkRequired(header: Header): void {
  if (header.type === 'unknown') return;
  for (const name of REQUIRED[header.type])
    if (header[name] === undefined) throw new NotDbus(`a message of type ${header.type} without ${name}`, 0);
}

/** Libraries use these to report a lost connection to themselves; nobody may send them. */
function checkLocal({ path, interface: name }: Header): void {
  if (path === '/org/freedesktop/DBus/Local' || name === 'org.freedesktop.DBus.Local')
    throw new NotDbus('a message in the name of a library itself', 0);
}

/** The bytes of a header, up to the first byte of its body. Throws BadValue. */
export function writeHeader(
  header: Omit<Header, 'bodyStart'> & { readonly type: MessageType },
  bodyLength: number,
): Buffer {
  const writer = new Writer(header.endian);
  writer.byte(header.endian === 'little' ? LITTLE : BIG);
  writer.byte(MESSAGE_TYPES.indexOf(header.type) + 1);
  writer.byte(header.flags);
  writer.byte(VERSION);
  writer.uint32(bodyLength);
  writer.uint32(header.serial);
  writer.uint32(0);
  for (const { code, name, type } of FIELDS) {
    const value = header[name];
    if (value !== undefined && value !== '') writeField(writer, code, type, value);
  }
  return finish(writer);
}

function writeField(writer: Writer, code: number, type: string, value: string | number): void {
  writer.align(8);
  writer.byte(code);
  writer.signature(type);
  if (typeof value === 'number') writer.uint32(value);
  else if (type === 'g') writer.signature(value);
  else writer.text(value);
}

function finish(writer: Writer): Buffer {
  writer.setUint32(FIELDS_LENGTH_AT, writer.length - FIXED_HEADER);
  writer.align(8);
  return writer.done();
}

/**
 * The header of a valid message as a bus forwards it: SENDER is `sender`, at its old place or at the end; fields with
 * unknown codes are left out; everything else is unchanged.
 */
export function headerFrom(bytes: Uint8Array, { endian, bodyStart }: Header, sender: string): Buffer {
  const writer = new Writer(endian);
  writer.bytes(bytes.subarray(0, FIXED_HEADER));
  let written = false;
  for (const { code, start, end } of slicesOf(bytes, endian, bodyStart)) {
    if (code > FIELDS.length) continue;
    written ||= code === SENDER;
    if (code === SENDER) writeField(writer, SENDER, 's', sender);
    else {
      writer.align(8);
      writer.bytes(bytes.subarray(start, end));
    }
  }
  if (!written) writeField(writer, SENDER, 's', sender);
  return finish(writer);
}

/** Each field begins at a multiple of 8, so its bytes keep their meaning at another multiple. */
function* slicesOf(bytes: Uint8Array, endian: Endian, bodyStart: number) {
  const end = FIXED_HEADER + viewOf(bytes).getUint32(FIELDS_LENGTH_AT, endian === 'little');
  const reader = new Reader(bytes, endian, FIXED_HEADER, Math.min(end, bodyStart));
  while (!reader.atEnd) {
    const { at, code } = fieldCode(reader);
    skipField(reader, reader.signature(), at);
    yield { code, start: at, end: reader.at };
  }
}

const viewOf = ({ buffer, byteOffset, length }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, length);
