// SPDX-License-Identifier: MIT
/** Accepts clients of a listening socket, one after the other, and bounds what strangers can do. */
import { setTimeout as pause } from 'node:timers/promises';
import { BusError } from '../../native/lib/index.ts';
import type { Log } from './log.ts';

interface Listener<Client> {
  readonly closed: boolean;
  accept(): Promise<Client>;
}

export interface AcceptOptions {
  readonly log: Log;
  /** Waits until another client may be accepted. */
  readonly waitForRoom: () => Promise<void>;
}

const RETRY_MS = 100;
/** Clients may leave meanwhile, and free descriptors. */
export const pauseToRetry = (): Promise<void> => pause(RETRY_MS);

/**
 * Serves clients until the listener is closed. It pauses if the process has no free descriptor (EMFILE): an accept that
 * fails at once, again and again, would leave the event loop no time to close anything.
 */
export async function acceptAll<Client>(
  listener: Listener<Client>,
  serve: (client: Client) => void,
  { log, waitForRoom }: AcceptOptions,
): Promise<void> {
  let failing = false;
  while (!listener.closed) {
    await waitForRoom();
    try {
      const client = await listener.accept();
      failing = false;
      serve(client);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (listener.closed) return;
      if (!failing) log(`cannot accept a client: ${error.message}`);
      failing = true;
      await pauseToRetry();
    }
  }
}
