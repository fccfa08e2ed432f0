// SPDX-License-Identifier: MIT
/** Turns an agent's packed row of a send into an event. */

import type { PackedSend } from '../agent/protocol.ts';
import type { SendEvent } from './trace.ts';

export function unpackSend(agent: string, [message, t0, t1, error]: PackedSend): SendEvent {
  return { agent, message, t0, ...(t1 === null ? {} : { t1 }), ...(error === null ? {} : { error }) };
}
