// SPDX-License-Identifier: MIT
/**
 * The runner's mark in a D-Bus message: the envelope is the last argument of the body, 32 bytes of type `ay`. So the
 * message is valid, its arguments count from 0 as written, and its last bytes are the envelope.
 */
import { ENVELOPE_SIZE, type Envelope, type EnvelopeKind, envelope, open } from '../common/envelope.ts';
import { marshal } from './marshal.ts';
import type { Arg, DbusMessage } from './message.ts';
import { lengthOf } from './parse.ts';

const sealed = (message: DbusMessage, seal: Uint8Array): DbusMessage => {
  const last: Arg = { type: 'ay', value: seal };
  return { ...message, args: [...message.args, last] };
};

const lengths = new WeakMap<DbusMessage, number>();

/** Bytes on the wire: the same for all messages that are made of one. */
export function sealedLength(message: DbusMessage): number {
  const known = lengths.get(message) ?? marshal(sealed(message, new Uint8Array(ENVELOPE_SIZE)), 1).length;
  lengths.set(message, known);
  return known;
}

/** The datagram for message `number`, which makes its serial too: that is never 0. */
export function seal(kind: EnvelopeKind, nonce: number, number: number, message: DbusMessage): Buffer {
  const bytes = marshal(sealed(message, new Uint8Array(ENVELOPE_SIZE)), number + 1);
  const at = bytes.length - ENVELOPE_SIZE;
  bytes.set(envelope(kind, nonce, number, bytes.subarray(0, at), bytes.subarray(bytes.length)), at);
  return bytes;
}

/** The envelope of any datagram: at its head, or where its header says that a D-Bus message ends. */
export function envelopeIn(datagram: Buffer): Envelope | null {
  const first = open(datagram, 0);
  const end = first === null ? lengthOf(datagram) : undefined;
  return end === undefined || end < ENVELOPE_SIZE ? first : open(datagram, end - ENVELOPE_SIZE);
}
