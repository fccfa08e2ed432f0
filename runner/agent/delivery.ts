// SPDX-License-Identifier: MIT
/** Received messages → their columns in the report. */

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
import type { Columns, ColumnsKind, Message } from './system.ts';

/** What messages of one kind have in common, aside from their flags. */
type Shared = Pick<Message, 'from' | 'credentials' | 'fds' | 'lost'>;

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
    this.#took(t, 1);
    if (envelope?.kind === 'message' && !envelope.intact)
      this.checksums.push([this.message.length, checksumOf(message.data)]);
    this.message.push(envelope ? envelope.number : null);
    this.sequence.push(message.sequence ?? null);
    this.length.push(message.data.length);
    this.kind.push(this.#kindOf(message, flagsOf(message, envelope)));
  }

  addColumns(t: Time, { count, number, sequence, length, kind, kinds }: Columns): void {
    this.#took(t, count);
    this.message.push(...number);
    this.sequence.push(...sequence);
    this.length.push(...length);
    const here = kinds.map((each) => this.#kindOf({ ...each, fds: [] }, flagsOfKind(each)));
    for (const each of kind) this.kind.push(here[each] as number);
  }

  #took(t: Time, count: number): void {
    const last = this.taken[this.taken.length - 1];
    if (last?.[0] === t) last[1] += count;
    else this.taken.push([t, count]);
  }

  #kindOf(message: Shared, flags: number): number {
    const last = this.kind[this.kind.length - 1];
    if (last !== undefined && isOfKind(this.kinds[last] as PackedKind, message, flags)) return last;
    const known = this.kinds.findIndex((kind) => isOfKind(kind, message, flags));
    return known >= 0 ? known : this.kinds.push(kindOf(message, flags)) - 1;
  }
}

function kindOf({ from, credentials, fds, lost }: Shared, flags: number): PackedKind {
  const sender = credentials ? ([credentials.pid, credentials.uid, credentials.gid] as const) : null;
  return [flags, from, sender, fds.length, lost ?? 0];
}

function isOfKind([flags, from, sender, fds, lost]: PackedKind, message: Shared, its: number): boolean {
  if (its !== flags || message.from !== from || message.fds.length !== fds) return false;
  const { credentials } = message;
  if (!credentials || !sender) return !credentials && !sender && (message.lost ?? 0) === lost;
  const { pid, uid, gid } = credentials;
  return pid === sender[0] && uid === sender[1] && gid === sender[2] && (message.lost ?? 0) === lost;
}

const flagsOfKind = ({ fence }: ColumnsKind): number => (fence ? FLAG_FENCE : 0) | FLAG_INTACT;

function flagsOf(message: Message, envelope: Envelope | null): number {
  return (
    (envelope?.kind === 'fence' ? FLAG_FENCE : 0) |
    (envelope?.intact ? FLAG_INTACT : 0) |
    (message.truncated ? FLAG_TRUNCATED : 0) |
    (message.controlTruncated ? FLAG_CONTROL_TRUNCATED : 0)
  );
}
