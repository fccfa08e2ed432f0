// SPDX-License-Identifier: MIT
/** A received message → its row in the report. */

import type { Time } from '../common/clock.ts';
import type { Envelope } from '../common/envelope.ts';
import { envelopeIn } from '../dbus/index.ts';
import type { Lane } from '../topology/lane.ts';
import {
  FLAG_CONTROL_TRUNCATED,
  FLAG_FENCE,
  FLAG_INTACT,
  FLAG_TRUNCATED,
  type PackedDelivery,
} from './protocol.ts';
import type { Message } from './system.ts';

/** The envelope, if the datagram belongs to this run. */
export function envelopeOf(message: Message, nonce: number): Envelope | null {
  const envelope = envelopeIn(message.data);
  return envelope?.nonce === nonce ? envelope : null;
}

export function packDelivery(
  lane: Lane,
  position: number,
  t: Time,
  message: Message,
  envelope: Envelope | null,
): PackedDelivery {
  const { sequence, from, data, credentials, fds, lost } = message;
  return [
    lane,
    position,
    t,
    envelope ? envelope.number : null,
    flagsOf(message, envelope),
    sequence ?? null,
    from,
    data.length,
    credentials ? [credentials.pid, credentials.uid, credentials.gid] : null,
    fds.length,
    lost ?? 0,
  ];
}

function flagsOf(message: Message, envelope: Envelope | null): number {
  return (
    (envelope?.kind === 'fence' ? FLAG_FENCE : 0) |
    (envelope?.intact ? FLAG_INTACT : 0) |
    (message.truncated ? FLAG_TRUNCATED : 0) |
    (message.controlTruncated ? FLAG_CONTROL_TRUNCATED : 0)
  );
}
