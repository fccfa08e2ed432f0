// SPDX-License-Identifier: MIT
/**
 * The first 32 bytes of every message that an agent sends, or the last 32 of a D-Bus message. They identify the message
 * without relying on the kernel's addresses, survive truncation of the rest, and allow the receiver's report to be
 * compared with the plan.
 *
 *   0  magic "AFBT"       4  version (1)      5  kind (0 message, 1 fence)     6  reserved
 *   8  run nonce, u32    12  message number, u32                              16  whole length, u32
 *  20  crc32 of all the rest, u32                                             24  reserved, zero
 *
 * All numbers are little-endian. The rest is the payload of the YAML, or bytes drawn from (seed, number).
 */
import { crc32 } from 'node:zlib';

export const ENVELOPE_SIZE = 32;
/** The part that identifies the message; a copy that a filter shortened may have no more. */
export const IDENTITY_SIZE = 16;
const MAGIC = 0x54424641; // "AFBT"
const VERSION = 1;

const KINDS = ['message', 'fence'] as const;

export type EnvelopeKind = (typeof KINDS)[number];

export interface Envelope {
  readonly kind: EnvelopeKind;
  readonly nonce: number;
  readonly number: number;
  /** Whether the whole message is there as it was sent; null if a shortened envelope cannot tell. */
  readonly intact: boolean | null;
}

/** The envelope of message `number`; `rest` of the message comes before it or after it. */
export function envelope(
  kind: EnvelopeKind,
  nonce: number,
  number: number,
  front: Uint8Array,
  behind: Uint8Array,
): Buffer {
  const out = Buffer.alloc(ENVELOPE_SIZE);
  out.writeUInt32LE(MAGIC, 0);
  out.writeUInt8(VERSION, 4);
  out.writeUInt8(KINDS.indexOf(kind), 5);
  out.writeUInt32LE(nonce, 8);
  out.writeUInt32LE(number, 12);
  out.writeUInt32LE(front.length + ENVELOPE_SIZE + behind.length, 16);
  out.writeUInt32LE(crc32(behind, crc32(front)), 20);
  return out;
}

/** Builds the datagram for message `number`. */
export const encode = (kind: EnvelopeKind, nonce: number, number: number, body: Uint8Array): Buffer =>
  Buffer.concat([envelope(kind, nonce, number, NOTHING, body), body]);

const NOTHING = new Uint8Array(0);

/**
 * Checksum of a copy that begins with an envelope, of which a filter or a buffer may have left the beginning only. The
 * run's nonce counts as 0, since the plan cannot know it.
 */
export function checksumOf(copy: Uint8Array): number {
  const front = crc32(NO_NONCE, crc32(copy.subarray(0, NONCE_AT)));
  return crc32(copy.subarray(NONCE_AT + NO_NONCE.length), front);
}

const NONCE_AT = 8;
const NO_NONCE = new Uint8Array(4);

/** Reads the envelope that begins at this byte; null if the datagram has none. */
export function open(datagram: Buffer, at: number): Envelope | null {
  const length = datagram.length - at;
  if (length < IDENTITY_SIZE) return null;
  if (datagram.readUInt32LE(at) !== MAGIC || datagram[at + 4] !== VERSION) return null;
  const kind = KINDS[datagram[at + 5] as number];
  if (kind === undefined) return null;
  return {
    kind,
    nonce: datagram.readUInt32LE(at + 8),
    number: datagram.readUInt32LE(at + 12),
    intact: length < ENVELOPE_SIZE ? null : isIntact(datagram, at),
  };
}

function isIntact(datagram: Buffer, at: number): boolean {
  const reserved =
    datagram.readUInt16LE(at + 6) | datagram.readUInt32LE(at + 24) | datagram.readUInt32LE(at + 28);
  if (reserved !== 0 || datagram.length !== datagram.readUInt32LE(at + 16)) return false;
  const front = at === 0 ? 0 : crc32(datagram.subarray(0, at));
  return crc32(datagram.subarray(at + ENVELOPE_SIZE), front) === datagram.readUInt32LE(at + 20);
}

/** Mixes two numbers into a 32-bit number (like splitmix), the same on every machine. */
export function mix(seed: number, n: number): number {
  let x = (seed ^ Math.imul(n + 1, 0x9e3779b9)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b) >>> 0;
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35) >>> 0;
  return (x ^ (x >>> 16)) >>> 0;
}

/** Length of generated message `number` in bytes, between `min` and `max` inclusive. */
export function drawLength(seed: number, number: number, min: number, max: number): number {
  return min + (mix(seed, number) % (max - min + 1));
}

/** A generated body: 32-bit words of a counter sequence, so that any shift changes the crc. */
export function drawBody(seed: number, number: number, length: number): Buffer {
  const out = Buffer.alloc((length + 3) & ~3);
  let state = mix(seed ^ 0x5bd1e995, number);
  for (let at = 0; at < out.length; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out.writeUInt32LE(state, at);
  }
  return out.subarray(0, length);
}
