// SPDX-License-Identifier: MIT
/** What a message looks like on the wire: its length and its bytes. */
import { drawBody, drawLength, ENVELOPE_SIZE, encode } from '../common/envelope.ts';
import { embedEnvelope, templateOf } from '../dbus/index.ts';
import type { SendStep } from './topology.ts';

/** What a message is made of: a payload, a D-Bus message, or bytes that are drawn. */
export type Content = Pick<SendStep, 'payload' | 'dbus' | 'size'> & {
  /** What was made of `dbus`: bytes that agents can be told. */
  readonly template?: Uint8Array;
};

export const templateIn = ({ template, dbus }: Content): Uint8Array | undefined =>
  template ?? (dbus && templateOf(dbus));

/** Bytes of the whole message, at least and at most. */
export function lengthsOf(content: Content): { readonly min: number; readonly max: number } {
  const { payload, size } = content;
  const template = templateIn(content);
  if (template === undefined && payload === undefined && size !== undefined) return size;
  const length = template?.length ?? ENVELOPE_SIZE + (payload?.length ?? 0);
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
  const template = templateIn(content);
  if (template) return embedEnvelope('message', nonce, number, template);
  const body = content.payload ?? drawBody(seed, number, lengthOf(content, { seed, number }) - ENVELOPE_SIZE);
  return encode('message', nonce, number, body);
}
