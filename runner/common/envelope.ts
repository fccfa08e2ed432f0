// SPDX-License-Identifier: MIT
/**
 * The first 32 bytes of every message that an agent sends. They identify the message without trusting the kernel's
 * addresses, survive truncation of the rest, and let the receiver's report be compared with the plan.
 *
 *   0  magic "AFBT"       4  version (1)      5  kind (0 message, 1 fence)     6  reserved
 *   8  run nonce, u32    12  message number, u32                              16  whole length, u32
 *  20  crc32 of the body, u32                                                 24  reserved, zero
 *
 * All numbers are little-endian. The body is the payload of the YAML, or bytes drawn from (seed, number).
 */
import { crc32 } from 'node:zlib';

export const ENVELOPE_SIZE = 32;
/** As much of it tells which message it is: of a copy that a filter shortened there may be no more. */
export const IDENTITY_SIZE = 16;
const MAGIC = 0x54424641; // "AFBT"
const VERSION = 1;

export type EnvelopeKind = 'message' | 'fence';

export interface Envelope {
  readonly kind: EnvelopeKind;
  readonly nonce: number;
  readonly number: number;
  readonly length: number;
  readonly crc: number;
}

/** Builds the datagram for message `number`. */
export function encode(kind: EnvelopeKind, nonce: number, number: number, body: Uint8Array): Buffer {
  const out = Buffer.alloc(ENVELOPE_SIZE + body.length);
  out.writeUInt32LE(MAGIC, 0);
  out.writeUInt8(VERSION, 4);
  out.writeUInt8(kind === 'fence' ? 1 : 0, 5);
  out.writeUInt32LE(nonce, 8);
  out.writeUInt32LE(number, 12);
  out.writeUInt32LE(out.length, 16);
  out.writeUInt32LE(crc32(body), 20);
  out.set(body, ENVELOPE_SIZE);
  return out;
}

/** Reads an envelope; null where the datagram is not one of ours. Of one cut short, `length` and `crc` are 0. */
export function decode(datagram: Buffer): Envelope | null {
  if (datagram.length < IDENTITY_SIZE) return null;
  if (datagram.readUInt32LE(0) !== MAGIC || datagram.readUInt8(4) !== VERSION) return null;
  const whole = datagram.length >= ENVELOPE_SIZE;
  return {
    kind: datagram.readUInt8(5) === 1 ? 'fence' : 'message',
    nonce: datagram.readUInt32LE(8),
    number: datagram.readUInt32LE(12),
    length: whole ? datagram.readUInt32LE(16) : 0,
    crc: whole ? datagram.readUInt32LE(20) : 0,
  };
}

/** A well-mixed 32-bit number from two: splitmix-style, the same on every machine. */
export function mix(seed: number, n: number): number {
  let x = (seed ^ Math.imul(n + 1, 0x9e3779b9)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b) >>> 0;
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35) >>> 0;
  return (x ^ (x >>> 16)) >>> 0;
}

/** Whole length in bytes of generated message `number`, between `min` and `max`, both included. */
export function drawLength(seed: number, number: number, min: number, max: number): number {
  return min + (mix(seed, number) % (max - min + 1));
}

/** A generated body of `length` bytes: 32-bit words of a counter sequence, so any slip shows in the crc. */
export function drawBody(seed: number, number: number, length: number): Buffer {
  const out = Buffer.alloc((length + 3) & ~3);
  let state = mix(seed ^ 0x5bd1e995, number);
  for (let at = 0; at < out.length; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out.writeUInt32LE(state, at);
  }
  return out.subarray(0, length);
}
