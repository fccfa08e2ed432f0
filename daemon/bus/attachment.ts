// SPDX-License-Identifier: MIT
/** A connection of this process to its own bus: for a client of another transport, or to hear what clients send. */
import type { AcceptedClient, BusClient } from '../../native/lib/index.ts';

/** Its two ends. */
export interface Attachment {
  readonly client: BusClient;
  readonly accepted: AcceptedClient;
}
