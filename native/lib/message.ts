// SPDX-License-Identifier: MIT
/** A received message, and how the addon packs a batch of them. */

import type { Addon } from './addon.ts';
import { addressFromKernel, type BusAddress } from './address.ts';
import { OwnedFd } from './owned-fd.ts';

export interface Credentials {
  /** As seen from the receiver's pid and user namespaces; 0 or 65534 if the sender is not visible there. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

export interface Message {
  /** The bytes received. Messages of one batch may share one memory block. */
  readonly data: Buffer;
  /** Length of the message in the queue; more than `data.length` if `maxBytes` cut it. */
  readonly length: number;
  /** The sender's prefix-0 address, `0000/000000000000` for the master. */
  readonly from: BusAddress;
  /** MSG_TRUNC: `maxBytes` cut the message. Not set for a copy that a filter shortened before it was queued. */
  readonly truncated: boolean;
  /** MSG_CTRUNC: ancillary data did not fit (no room, or no free descriptors); surplus descriptors were closed. */
  readonly controlTruncated: boolean;
  /**
   * Descriptors that came with the message, in order, close-on-exec. The reader owns them and must close or take each.
   */
  readonly fds: readonly OwnedFd[];
  /** The sender's credentials; present if `passCredentials` is on. */
  readonly credentials?: Credentials;
  /** Number in the bus's sequence; present if `passSequence` is on. Exact up to 2^53. */
  readonly sequence?: number;
  /** Number of copies that this eavesdropper missed just before this message; absent if there are none. */
  readonly lost?: number;
  /** Microseconds since the epoch; present if `timestamps` is on. */
  readonly timestamp?: number;
  /** Security label of the sender; present if `passSecurity` is on and a security module labels sockets. */
  readonly security?: string;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const NO_FDS: readonly OwnedFd[] = [];

/** Messages of the batch that the addon's last `receive` left in `addon.batch`, their bytes in `bytes`. */
export function unpackBatch(addon: Addon, bytes: Buffer): Message[] {
  const { batch, layout } = addon;
  const fds = batch[layout.batchFds] ? addon.takeReceivedFds() : [];
  const messages: Message[] = [];
  let nextFd = 0;
  let row = layout.header;
  for (let left = batch[layout.batchCount] as number; left > 0; left--, row += layout.stride) {
    const message = unpackMessage(addon, bytes, row);
    const count = batch[row + layout.fds] as number;
    if (count) message.fds = fds.slice(nextFd, nextFd + count).map((fd) => new OwnedFd(fd));
    nextFd += count;
    messages.push(message);
  }
  return messages;
}

function unpackMessage({ batch, layout }: Addon, bytes: Buffer, row: number): Writable<Message> {
  const at = (field: number): number => batch[row + field] as number;
  const start = at(layout.offset);
  const end = start + at(layout.received);
  const flags = at(layout.flags);
  const message: Writable<Message> = {
    data: bytes.subarray(start, end),
    length: at(layout.length),
    from: addressFromKernel(at(layout.prefix), at(layout.client)),
    truncated: (flags & layout.flagTruncated) !== 0,
    controlTruncated: (flags & layout.flagControlTruncated) !== 0,
    fds: NO_FDS,
  };
  if (flags & layout.flagSequence) message.sequence = at(layout.sequence);
  if (flags & layout.flagCredentials) {
    message.credentials = { pid: at(layout.pid), uid: at(layout.uid), gid: at(layout.gid) };
  }
  if (flags & layout.flagLost) message.lost = at(layout.lost);
  if (flags & layout.flagTimestamp) message.timestamp = at(layout.timestamp);
  if (flags & layout.flagSecurity) {
    message.security = bytes.toString('utf8', end, end + at(layout.security)).replace(/\0.*$/s, '');
  }
  return message;
}
