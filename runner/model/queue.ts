// SPDX-License-Identifier: MIT
/** Queue and budget of a socket: what is full, what may be read, what is returned to a sender (section 4). */
import type { Copy, Endpoint, Errno, Sent } from './types.ts';

/** Section 4: what a message weighs in addition to its bytes, in every queue and for its sender. */
const OVERHEAD = 768;

export const weightOf = (length: number): number => length + OVERHEAD;

/** The queue holds more messages than the queue length. */
const isLong = ({ queue, queueLength }: Endpoint): boolean => queue.length > queueLength;

/** The weight at which a queue is full. */
export const maxQueued = ({ sendBuffer }: Endpoint): number => Math.floor(sendBuffer / 2);

const isHeavy = (endpoint: Endpoint): boolean => endpoint.queued >= maxQueued(endpoint);

/** Section 4: a queue is full if it holds too many messages, or if they weigh too much. */
export const isFull = (endpoint: Endpoint): boolean =>
  isLong(endpoint) || isHeavy(endpoint) || (endpoint.draining && endpoint.bus.overflow === 'block');

/** Nobody waits for an eavesdropper, so for its copies a queue has room as soon as its weight allows it. */
export const isFullOfWatching = (client: Endpoint): boolean => isLong(client) || isHeavy(client);

/** Section 4: a send begins only if the sender's budget is not used up. */
export const hasBudget = ({ charged, sendBuffer }: Endpoint): boolean => charged < sendBuffer;

/** Section 4: a client with too many messages in its own queue cannot send; a master can. */
export const mustReadFirst = (from: Endpoint): boolean => from.side === 'client' && isLong(from);

/** POLLIN */
export const readable = ({ queue, shutRead }: Endpoint): boolean => queue.length > 0 || shutRead;

/** POLLOUT: the queues of other members do not count. */
export const writable = (from: Endpoint): boolean => hasBudget(from) && !mustReadFirst(from);

/** POLLHUP */
export const hungUp = ({ shutRead, shutWrite }: Endpoint): boolean => shutRead && shutWrite;

/** recv returns 0: the queue is empty, and nothing more will come. */
export const atEnd = ({ queue, shutRead }: Endpoint): boolean => shutRead && queue.length === 0;

/** SO_ERROR is reported once, by the next call. */
export function takeError(endpoint: Endpoint): Errno | undefined {
  const { error } = endpoint;
  endpoint.error = undefined;
  return error;
}

export const peek = ({ queue }: Endpoint): Copy | undefined => queue.peek();

export function enqueue(to: Endpoint, copy: Copy): void {
  to.queue.push(copy);
  to.queued += copy.sent.weight;
  if (isHeavy(to)) to.draining = true;
}

/** The next copy; undefined if there is none, which means the end if `atEnd`. */
export function receive(endpoint: Endpoint): Copy | undefined {
  const copy = endpoint.queue.shift();
  if (copy === undefined) return undefined;
  endpoint.queued -= copy.sent.weight;
  if (endpoint.queued <= Math.floor(maxQueued(endpoint) / 4)) endpoint.draining = false;
  release(copy);
  return copy;
}

/** Section 4, "the charge ends earlier": messages in this queue are no longer charged to their senders. */
export function endCharges({ queue }: Endpoint): void {
  for (const copy of queue) release(copy);
}

function release(copy: Copy): void {
  if (!copy.charged) return;
  copy.charged = false;
  if (--copy.sent.holders === 0) discharge(copy.sent);
}

function discharge({ sender, weight }: Sent): void {
  sender.charged -= weight;
  sender.unread--;
}

/** Messages that a socket still holds when it is closed are lost. */
export function purge(endpoint: Endpoint): void {
  while (receive(endpoint) !== undefined);
}
