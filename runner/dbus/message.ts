// SPDX-License-Identifier: MIT
/** Whole messages: a header and a body. */
import { type Fields, type Header, headerFrom, type MessageType, readHeader, writeHeader } from './header.ts';
import { type Endian, marshalBody } from './marshal.ts';
import { NotDbus } from './refusal.ts';
import { checkBody, unmarshalBody } from './unmarshal.ts';
import type { Arg } from './value.ts';

/** A message to send. Its arguments say its signature. */
export interface DbusMessage extends Omit<Fields, 'signature'> {
  readonly type: MessageType;
  readonly endian: Endian;
  readonly flags?: number;
  readonly args: readonly Arg[];
}

/** A message as it was on the wire. */
export interface ReceivedMessage extends Omit<Header, 'bodyStart' | 'signature'> {
  readonly args: readonly Arg[];
}

/** Its bytes. Throws BadValue if one of its values is none of its type. */
export function marshal(message: DbusMessage, serial: number): Buffer {
  const body = marshalBody(message.args, message.endian);
  const signature = message.args.map(({ type }) => type).join('');
  const header = { ...message, flags: message.flags ?? 0, serial, signature };
  return Buffer.concat([writeHeader(header, body.length), body]);
}

/** The message that these bytes are, all of them. Throws NotDbus. */
export function parse(bytes: Uint8Array): ReceivedMessage {
  const { bodyStart, signature = '', ...header } = readHeader(bytes);
  return { ...header, args: unmarshalBody(bytes, header.endian, bodyStart, signature) };
}

/** The same; undefined if they are none. */
export function parsed(bytes: Uint8Array): ReceivedMessage | undefined {
  try {
    return parse(bytes);
  } catch (error) {
    if (error instanceof NotDbus) return undefined;
    throw error;
  }
}

/** Checks the whole of a message, and reads its header. Throws NotDbus. */
export function check(bytes: Uint8Array): Header {
  const header = readHeader(bytes);
  checkBody(bytes, header.endian, header.bodyStart, header.signature ?? '');
  return header;
}

/** The arguments of a message of which only the header was read. Throws NotDbus. */
export const argsOf = (bytes: Uint8Array, { endian, bodyStart, signature = '' }: Header): Arg[] =>
  unmarshalBody(bytes, endian, bodyStart, signature);

/** A checked message as a bus forwards it: the same, in the name of its true sender. The body is not copied. */
export const forwarded = (bytes: Uint8Array, header: Header, sender: string): readonly Uint8Array[] => [
  headerFrom(bytes, header, sender),
  bytes.subarray(header.bodyStart),
];
