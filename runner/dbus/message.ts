// SPDX-License-Identifier: MIT
/** D-Bus messages as data (D-Bus Specification, "Message Protocol"). */

export const MESSAGE_TYPES = ['method_call', 'method_return', 'error', 'signal'] as const;
export type MessageType = (typeof MESSAGE_TYPES)[number];

/** An argument of a body: string, object path, 32-bit integer, bytes; of others no more than their signature is known. */
export type Arg =
  | { readonly type: 's' | 'o'; readonly value: string }
  | { readonly type: 'i'; readonly value: number }
  | { readonly type: 'ay'; readonly value: Uint8Array }
  | { readonly type: 'other'; readonly signature: string };

export interface DbusMessage {
  readonly type: MessageType;
  readonly endian: 'little' | 'big';
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly errorName?: string;
  /** The serial of the message that this one answers. */
  readonly replySerial?: number;
  readonly destination?: string;
  /** How many descriptors come with it. */
  readonly unixFds?: number;
  readonly args: readonly Arg[];
}

/** As it was on the wire. */
export interface ReceivedMessage extends Omit<DbusMessage, 'type'> {
  /** `unknown`: of a later version of the protocol, to be ignored. */
  readonly type: MessageType | 'unknown';
  /** Never 0. */
  readonly serial: number;
  readonly sender?: string;
}

/** What a rule can look at, on its way or received. */
export type Subject = Pick<
  ReceivedMessage,
  'type' | 'path' | 'interface' | 'member' | 'destination' | 'args'
>;

/** Fields that a message of a type must have. */
export const REQUIRED = {
  method_call: ['path', 'member'],
  method_return: ['replySerial'],
  error: ['errorName', 'replySerial'],
  signal: ['path', 'interface', 'member'],
} as const satisfies Record<MessageType, readonly (keyof DbusMessage)[]>;

/** Header fields by their code, each with its type. */
export const FIELDS = [
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

export const VERSION = 1;
/** Bytes of a whole message. */
export const MAX_MESSAGE = 128 * 1024 * 1024;
/** Bytes of an array. */
export const MAX_ARRAY = 64 * 1024 * 1024;
/** Before its fields: byte order, type, flags, version, body length, serial, and the length of the fields. */
export const FIXED_HEADER = 16;
export const SERIAL_AT = 8;
export const LITTLE = 0x6c; // "l"
export const BIG = 0x42; // "B"

/** The next multiple of a power of two. */
export const align = (at: number, to: number): number => Math.ceil(at / to) * to;
