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
import type { DeliveryEvent, SendEvent } from './trace.ts';

export function unpackDelivery(row: PackedDelivery): DeliveryEvent {
  const [lane, position, t, message, flags, sequence, from, length, credentials, fds, lost] = row;
  return {
    lane,
    position,
    t,
    message,
    fence: (flags & FLAG_FENCE) !== 0,
    ...(sequence === null ? {} : { sequence }),
    from,
    length,
    intact: (flags & FLAG_INTACT) !== 0,
    truncated: (flags & FLAG_TRUNCATED) !== 0,
    controlTruncated: (flags & FLAG_CONTROL_TRUNCATED) !== 0,
    ...(credentials ? { credentials: unpackCredentials(credentials) } : {}),
    fds,
    lost,
  };
}

export function unpackSend(agent: string, [message, t0, t1, error]: PackedSend): SendEvent {
  return { agent, message, t0, ...(t1 === null ? {} : { t1 }), ...(error === null ? {} : { error }) };
}

const unpackCredentials = ([pid, uid, gid]: NonNullable<PackedDelivery[8]>) => ({ pid, uid, gid });
