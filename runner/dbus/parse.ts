// SPDX-License-Identifier: MIT
/** Bytes → a message, where they are a valid one (D-Bus Specification, "Message Format"). Total: throws NotDbus alone. */
import {
  type Arg,
  align,
  BIG,
  FIELDS,
  FIXED_HEADER,
  LITTLE,
  MAX_MESSAGE,
  MESSAGE_TYPES,
  REQUIRED,
  type ReceivedMessage,
  SERIAL_AT,
  VERSION,
} from './message.ts';
import { isBusName, isErrorName, isInterface, isMember } from './names.ts';
import { Reader } from './reader.ts';
import { NotDbus } from './refusal.ts';

/** The message that these bytes are, all of them. Throws NotDbus. */
export function parse(bytes: Uint8Array): ReceivedMessage {
  const { little, type, serial, fieldsEnd, bodyLength } = fixedHeader(bytes);
  const fields = fieldsOf(new Reader(bytes, little, FIXED_HEADER, fieldsEnd));
  const padding = new Reader(bytes, little, fieldsEnd, align(fieldsEnd, 8));
  padding.align(8);
  const { signature = '', ...named } = fields;
  const message = {
    type: MESSAGE_TYPES[type - 1] ?? ('unknown' as const),
    endian: little ? ('little' as const) : ('big' as const),
    serial,
    ...(named as Partial<ReceivedMessage>),
    args: argsOf(new Reader(bytes, little, align(fieldsEnd, 8), bytes.length), signature, bodyLength),
  };
  if (message.type === 'unknown') return message;
  for (const key of REQUIRED[message.type])
    if (message[key] === undefined) throw new NotDbus(`a message of type ${message.type} without ${key}`, 0);
  return message;
}

/** The same; undefined where they are none. */
export function parsed(bytes: Uint8Array): ReceivedMessage | undefined {
  try {
    return parse(bytes);
  } catch (error) {
    if (error instanceof NotDbus) return undefined;
    throw error;
  }
}

/** How long a message is by its own header; undefined where these bytes begin none. */
export function lengthOf(bytes: Uint8Array): number | undefined {
  const [order, type, , version] = bytes;
  if (bytes.length < FIXED_HEADER || (order !== LITTLE && order !== BIG) || type === 0 || version !== VERSION)
    return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = order === LITTLE;
  return align(FIXED_HEADER + view.getUint32(12, little), 8) + view.getUint32(4, little);
}

function fixedHeader(bytes: Uint8Array) {
  const length = lengthOf(bytes);
  if (length === undefined) throw new NotDbus('no header of a message', 0);
  if (length > MAX_MESSAGE) throw new NotDbus(`a message of ${length} bytes`, 4);
  if (length !== bytes.length) throw new NotDbus(`${bytes.length} bytes of a message of ${length}`, 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === LITTLE;
  const serial = view.getUint32(SERIAL_AT, little);
  if (serial === 0) throw new NotDbus('a serial of 0', SERIAL_AT);
  return {
    little,
    type: bytes[1] as number,
    serial,
    bodyLength: view.getUint32(4, little),
    fieldsEnd: FIXED_HEADER + view.getUint32(12, little),
  };
}

/** Whether a field's text is one. */
const VALID: Readonly<Record<string, (text: string) => boolean>> = {
  interface: isInterface,
  member: isMember,
  errorName: isErrorName,
  destination: isBusName,
  sender: isBusName,
};

type Fields = { [name in (typeof FIELDS)[number]['name']]?: string | number } & { signature?: string };

/** An array of structures of a byte and a variant. Those of codes that nobody knows are passed over. */
function fieldsOf(reader: Reader): Fields {
  const fields: Record<string, string | number> = {};
  while (!reader.atEnd) {
    reader.align(8);
    const { at } = reader;
    const code = reader.byte();
    if (code === 0) throw new NotDbus('a header field of code 0', at);
    const signature = reader.signature();
    const known = FIELDS.find((field) => field.code === code);
    if (known === undefined) reader.single(signature, 0);
    else if (signature !== known.type)
      throw new NotDbus(`a header field of code ${code} and type "${signature}"`, at);
    else if (Object.hasOwn(fields, known.name)) throw new NotDbus(`two header fields of code ${code}`, at);
    else fields[known.name] = fieldValue(reader, known);
  }
  return fields as Fields;
}

function fieldValue(reader: Reader, { name, type }: (typeof FIELDS)[number]): string | number {
  const { at } = reader;
  if (type === 'g') return reader.signature();
  if (type === 'o') return reader.path();
  if (type === 'u') {
    const value = reader.uint32();
    if (value === 0 && name === 'replySerial') throw new NotDbus('an answer to the serial 0', at);
    return value;
  }
  const text = reader.text();
  if (!VALID[name]?.(text)) throw new NotDbus(`no ${name}: ${JSON.stringify(text)}`, at);
  return text;
}

function argsOf(reader: Reader, signature: string, bodyLength: number): Arg[] {
  const types = reader.types(signature);
  if (types.length === 0 && bodyLength > 0) throw new NotDbus('a body without a signature', reader.at);
  const args = types.map((type) => reader.arg(type));
  if (!reader.atEnd) throw new NotDbus('more body than its signature says', reader.at);
  return args;
}
