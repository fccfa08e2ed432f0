// SPDX-License-Identifier: MIT
/** Clients of a listening socket, one after the other, whatever strangers do. */
import { setTimeout as pause } from 'node:timers/promises';
import { BusError } from '../../native/lib/index.ts';
import type { Log } from './log.ts';

interface Listener<Client> {
  readonly closed: boolean;
  accept(): Promise<Client>;
}

export interface AcceptOptions {
  readonly log: Log;
  /** Waits until one more client may come. */
  readonly space: () => Promise<void>;
}

/** Time in which clients may leave and free their descriptors. */
const RETRY_MS = 100;

/**
 * Serves clients until the listener is closed. A process without a free descriptor (EMFILE) pauses: an accept that fails
 * at once, again and again, would leave the event loop no time to close anything.
 */
export async function acceptAll<Client>(
  listener: Listener<Client>,
  serve: (client: Client) => void,
  { log, space }: AcceptOptions,
): Promise<void> {
  let failing = false;
  while (!listener.closed) {
    await space();
    try {
      const client = await listener.accept();
      failing = false;
      serve(client);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (listener.closed) return;
      if (!failing) log(`cannot accept a client: ${error.message}`);
      failing = true;
      await pause(RETRY_MS);
    }
  }
}
