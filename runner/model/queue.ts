// SPDX-License-Identifier: MIT
/** A socket's own queue and budget: what is full, what may be read, what comes back to a sender (section 4). */
import { DEFAULT_QUEUE_LENGTH } from './bus.ts';
import type { Copy, Endpoint, Errno, Sent } from './types.ts';

/** Section 4: a queue is full when it holds more than the queue length. */
export const isFull = ({ queue, queueLength }: Endpoint): boolean => queue.length > queueLength;

/**
 * An eavesdropper has the queue length of everyone, and since nobody else pays for its copies, a bound in bytes: what
 * a queue of the default length could hold at most (docs/decisions.md, "What bounds an eavesdropper's memory?").
 */
export const isFullOfWatching = (client: Endpoint): boolean =>
  isFull(client) ||
  (client.queue.length > DEFAULT_QUEUE_LENGTH &&
    client.watched > (DEFAULT_QUEUE_LENGTH + 1) * client.sendBuffer);

/** Section 4, "memory is charged to the sender": a send begins where its budget is not used up. */
export const hasBudget = ({ charged, sendBuffer }: Endpoint): boolean => charged < sendBuffer;

/** Section 3: a client whose own queue is full cannot send; a master can. */
export const mustReadFirst = (from: Endpoint): boolean => from.side === 'client' && isFull(from);

/** POLLIN */
export const readable = ({ queue, shutRead }: Endpoint): boolean => queue.length > 0 || shutRead;

/** POLLOUT: other members' queues do not count. */
export const writable = (from: Endpoint): boolean => hasBudget(from) && !mustReadFirst(from);

/** POLLHUP */
export const hungUp = ({ shutRead, shutWrite }: Endpoint): boolean => shutRead && shutWrite;

/** recv returns 0: the queue is drained, and nothing comes any more. */
export const atEnd = ({ queue, shutRead }: Endpoint): boolean => shutRead && queue.length === 0;

/** SO_ERROR is told once, by whatever call comes first. */
export function takeError(endpoint: Endpoint): Errno | undefined {
  const { error } = endpoint;
  endpoint.error = undefined;
  return error;
}

export const peek = ({ queue }: Endpoint): Copy | undefined => queue.peek();

/** The next copy; undefined where none is there, which is the end if `atEnd`. */
export function receive(endpoint: Endpoint): Copy | undefined {
  const copy = endpoint.queue.shift();
  if (copy === undefined) return undefined;
  const { sent } = copy;
  if (copy.eavesdropped) endpoint.watched -= sent.cost;
  else if (--sent.holders === 0) discharge(sent);
  return copy;
}

function discharge({ sender, cost }: Sent): void {
  sender.charged -= cost;
  sender.underWay--;
}

/** What a socket still holds when it closes goes with it. */
export function purge(endpoint: Endpoint): void {
  while (receive(endpoint) !== undefined);
}
