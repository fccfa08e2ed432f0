// SPDX-License-Identifier: MIT
/** What a message looks like on the wire: its length and its bytes. */
import { drawBody, drawLength, ENVELOPE_SIZE, encode } from '../common/envelope.ts';
import { seal, sealedLength } from '../dbus/index.ts';
import type { SendStep } from './topology.ts';

/** What a message is made of: a payload, a D-Bus message, or bytes that are drawn. */
export type Content = Pick<SendStep, 'payload' | 'dbus' | 'size'>;

/** Bytes of the whole message, at least and at most. */
export function lengthsOf({ payload, dbus, size }: Content): { readonly min: number; readonly max: number } {
  if (dbus === undefined && payload === undefined && size !== undefined) return size;
  const length = dbus ? sealedLength(dbus) : ENVELOPE_SIZE + (payload?.length ?? 0);
  return { min: length, max: length };
}

/** One message of a run. */
export interface Numbered {
  /** Makes bodies and sizes. */
  readonly seed: number;
  readonly number: number;
  /** Of the run. */
  readonly nonce: number;
}

export function lengthOf(content: Content, { seed, number }: Omit<Numbered, 'nonce'>): number {
  const { min, max } = lengthsOf(content);
  return min === max ? min : drawLength(seed, number, min, max);
}

export function bytesOf(content: Content, { seed, number, nonce }: Numbered): Buffer {
  const { payload, dbus } = content;
  if (dbus) return seal('message', nonce, number, dbus);
  const body = payload ?? drawBody(seed, number, lengthOf(content, { seed, number }) - ENVELOPE_SIZE);
  return encode('message', nonce, number, body);
}
