// SPDX-License-Identifier: MIT
/** The agents' packed rows, spelled out. */

import {
  FLAG_CONTROL_TRUNCATED,
  FLAG_FENCE,
  FLAG_INTACT,
  FLAG_TRUNCATED,
  type PackedDelivery,
  type PackedSend,
} from '../agent/protocol.ts';
import type { Credentials } from '../common/credentials.ts';
import type { DeliveryEvent, SendEvent } from './trace.ts';

/** Stands in until it is taken out. */
const NOBODY = [0, 0, 0] as const;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A run has millions of deliveries and few senders: what is equal is kept once. */
export class Unpacker {
  readonly #addresses = new Map<string, string>();
  readonly #credentials = new Map<string, Credentials>();

  delivery(row: PackedDelivery): DeliveryEvent {
    const [lane, position, t, message, flags, sequence, from, length, credentials, fds, lost] = row;
    // All fields at once: a field that is added later takes an object more, and spreading more time than all the rest.
    const event: Writable<DeliveryEvent> = {
      lane,
      position,
      t,
      message,
      fence: (flags & FLAG_FENCE) !== 0,
      from: this.#address(from),
      length,
      intact: (flags & FLAG_INTACT) !== 0,
      truncated: (flags & FLAG_TRUNCATED) !== 0,
      controlTruncated: (flags & FLAG_CONTROL_TRUNCATED) !== 0,
      fds,
      lost,
      sequence: sequence ?? 0,
      credentials: this.#unpackCredentials(credentials ?? NOBODY),
    };
    if (credentials === null) delete event.credentials;
    if (sequence === null) delete event.sequence;
    return event;
  }

  #address(from: string): string {
    const first = this.#addresses.get(from);
    if (first === undefined) this.#addresses.set(from, from);
    return first ?? from;
  }

  #unpackCredentials([pid, uid, gid]: NonNullable<PackedDelivery[8]>): Credentials {
    const key = `${pid} ${uid} ${gid}`;
    const first = this.#credentials.get(key);
    if (first) return first;
    const credentials = { pid, uid, gid };
    this.#credentials.set(key, credentials);
    return credentials;
  }
}

export function unpackSend(agent: string, [message, t0, t1, error]: PackedSend): SendEvent {
  return { agent, message, t0, ...(t1 === null ? {} : { t1 }), ...(error === null ? {} : { error }) };
}
