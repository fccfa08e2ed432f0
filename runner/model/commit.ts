// SPDX-License-Identifier: MIT
/** Gives a message its number and puts its copies into the queues. Nothing can fail here (section 4, "atomic"). */
import { MASTER } from '../common/address.ts';
import { place } from './bus.ts';
import { expelClient } from './life.ts';
import { enqueue, isFullOfWatching, weightOf } from './queue.ts';
import type { Passed } from './send.ts';
import type { Delivered, Endpoint, Message, Sent } from './types.ts';

export function commit(
  sender: Endpoint,
  message: Message,
  { recipients, watchers, dropped, denied, because }: Passed,
  evict: readonly Endpoint[],
): Delivered {
  const weight = weightOf(message.length);
  // Section 2: receivers always see the sender's prefix-0 address.
  const from = sender.side === 'client' ? sender.address : MASTER;
  const sent: Sent = { message, seq: place(sender.bus), from, sender, weight, holders: 0 };
  const copies: Endpoint[] = [];
  const lost: Endpoint[] = [];
  for (const [recipient, length] of recipients) {
    if (evict.includes(recipient)) continue;
    deliver(sent, recipient, length, false);
    copies.push(recipient);
  }
  if (sent.holders > 0) charge(sent);
  for (const [watcher, length] of watchers) {
    const missed = isFullOfWatching(watcher);
    // 3.5: eavesdropping affects nobody else; a copy that finds no room is dropped and counted.
    if (missed) watcher.lost++;
    else deliver(sent, watcher, length, true);
    (missed ? lost : copies).push(watcher);
  }
  // Section 2, BUS_SET_OVERFLOW: the message comes before the evictions that it causes.
  for (const client of evict) expelClient(client, 'ENOBUFS');
  return { sent: sent.seq, because, copies, lost, evicted: evict, dropped, denied };
}

function charge({ sender, weight }: Sent): void {
  sender.charged += weight;
  sender.unread++;
}

function deliver(sent: Sent, to: Endpoint, length: number, eavesdropped: boolean): void {
  // Section 4: on a bus that evicts, a client that does not read delays no sender.
  const charged = !eavesdropped && to.bus.overflow !== 'evict';
  if (charged) sent.holders++;
  enqueue(to, { sent, length, lost: to.lost, eavesdropped, charged });
  to.lost = 0;
}
