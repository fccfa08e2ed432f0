// SPDX-License-Identifier: MIT
/** Received messages → the report of their deliveries. */

import type { Time } from '../common/clock.ts';
import { checksumOf, type Envelope } from '../common/envelope.ts';
import { envelopeIn } from '../dbus/index.ts';
import type { Lane } from '../topology/lane.ts';
import {
  FLAG_CONTROL_TRUNCATED,
  FLAG_FENCE,
  FLAG_INTACT,
  FLAG_TRUNCATED,
  type PackedDeliveries,
  type PackedKind,
} from './protocol.ts';
import type { Message } from './system.ts';

/** The envelope, if the datagram belongs to this run. */
export function envelopeOf(message: Message, nonce: number): Envelope | null {
  const envelope = envelopeIn(message.data);
  return envelope?.nonce === nonce ? envelope : null;
}

/** Deliveries of one lane, from this position on. */
export class Deliveries implements PackedDeliveries {
  readonly lane: Lane;
  readonly position: number;
  readonly taken: [t: Time, count: number][] = [];
  readonly message: (number | null)[] = [];
  readonly sequence: (number | null)[] = [];
  readonly length: number[] = [];
  readonly kind: number[] = [];
  readonly kinds: PackedKind[] = [];
  readonly checksums: [index: number, checksum: number][] = [];

  constructor(lane: Lane, position: number) {
    this.lane = lane;
    this.position = position;
  }

  add(t: Time, message: Message, envelope: Envelope | null): void {
    const last = this.taken[this.taken.length - 1];
    if (last?.[0] === t) last[1]++;
    else this.taken.push([t, 1]);
    if (envelope?.kind === 'message' && !envelope.intact)
      this.checksums.push([this.message.length, checksumOf(message.data)]);
    this.message.push(envelope ? envelope.number : null);
    this.sequence.push(message.sequence ?? null);
    this.length.push(message.data.length);
    this.kind.push(this.#kindOf(message, flagsOf(message, envelope)));
  }

  #kindOf(message: Message, flags: number): number {
    const last = this.kind[this.kind.length - 1];
    if (last !== undefined && isOfKind(this.kinds[last] as PackedKind, message, flags)) return last;
    const known = this.kinds.findIndex((kind) => isOfKind(kind, message, flags));
    return known >= 0 ? known : this.kinds.push(kindOf(message, flags)) - 1;
  }
}

function kindOf({ from, credentials, fds, lost }: Message, flags: number): PackedKind {
  const sender = credentials ? ([credentials.pid, credentials.uid, credentials.gid] as const) : null;
  return [flags, from, sender, fds.length, lost ?? 0];
}

function isOfKind([flags, from, sender, fds, lost]: PackedKind, message: Message, its: number): boolean {
  if (its !== flags || message.from !== from || message.fds.length !== fds) return false;
  const { credentials } = message;
  if (!credentials || !sender) return !credentials && !sender && (message.lost ?? 0) === lost;
  const { pid, uid, gid } = credentials;
  return pid === sender[0] && uid === sender[1] && gid === sender[2] && (message.lost ?? 0) === lost;
}

function flagsOf(message: Message, envelope: Envelope | null): number {
  return (
    (envelope?.kind === 'fence' ? FLAG_FENCE : 0) |
    (envelope?.intact ? FLAG_INTACT : 0) |
    (message.truncated ? FLAG_TRUNCATED : 0) |
    (message.controlTruncated ? FLAG_CONTROL_TRUNCATED : 0)
  );
}
