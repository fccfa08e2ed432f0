// SPDX-License-Identifier: MIT
/**
 * The runner's mark in a D-Bus message: the envelope is the last argument of the body, 32 bytes of type `ay`. So the
 * message is valid, the other arguments keep their indexes, and the last bytes of the message are the envelope.
 */
import { ENVELOPE_SIZE, type Envelope, type EnvelopeKind, envelope, open } from '../common/envelope.ts';
import { LITTLE, lengthOf, SERIAL_AT } from './header.ts';
import { type DbusMessage, marshal } from './message.ts';

/** Messages of one step differ only in their serials and envelopes. */
const templates = new WeakMap<DbusMessage, Buffer>();

/** The message with room for its envelope, and any serial. */
export function templateOf(message: DbusMessage): Buffer {
  const last = { type: 'ay', value: new Uint8Array(ENVELOPE_SIZE) };
  const known = templates.get(message) ?? marshal({ ...message, args: [...message.args, last] }, 1);
  templates.set(message, known);
  return known;
}

/** The datagram for message `number`, from which its serial is derived as well; a serial is never 0. */
export function embedEnvelope(
  kind: EnvelopeKind,
  nonce: number,
  number: number,
  template: Uint8Array,
): Buffer {
  const bytes = Buffer.from(template);
  if (bytes[0] === LITTLE) bytes.writeUInt32LE(number + 1, SERIAL_AT);
  else bytes.writeUInt32BE(number + 1, SERIAL_AT);
  const at = bytes.length - ENVELOPE_SIZE;
  bytes.set(envelope(kind, nonce, number, bytes.subarray(0, at), NOTHING), at);
  return bytes;
}

const NOTHING = new Uint8Array(0);

/** The envelope of any datagram: at its beginning, or at the end of a D-Bus message. */
export function envelopeIn(datagram: Buffer): Envelope | null {
  const first = open(datagram, 0);
  const end = first === null ? lengthOf(datagram) : undefined;
  return end === undefined || end < ENVELOPE_SIZE ? first : open(datagram, end - ENVELOPE_SIZE);
}
