// SPDX-License-Identifier: MIT
/** What callers of a socket give it, and how its connection ends. */

import type { AddressLike } from './address.ts';
import type { Credentials } from './message.ts';

export interface SendOptions {
  /** Destination; default none: a client's master, an accepted socket's client. */
  readonly to?: AddressLike;
  /** Bus path of the destination, for checking only: another bus's path gives EHOSTUNREACH. */
  readonly path?: string;
  /** Descriptors to pass, at most 253. They stay the caller's, and must stay open until the send is settled. */
  readonly fds?: readonly (number | { readonly fd: number })[];
  /** SCM_CREDENTIALS to show instead of this process's own; EPERM without the capability to forge. */
  readonly credentials?: Credentials;
  /** Ends the wait for room; nobody got the message then. */
  readonly signal?: AbortSignal;
  /** Fail with EAGAIN instead of waiting; also where earlier sends of this socket still wait. Default false. */
  readonly nonblocking?: boolean;
  /** More MSG_ flags, e.g. MSG_OOB. */
  readonly flags?: number;
}

export interface ReceiveOptions {
  /** Most messages to take, 1 to 256; default 64. */
  readonly max?: number;
  /** Look at the first message and leave it there (MSG_PEEK); `max` is 1 then. */
  readonly peek?: boolean;
  /** Room for each message's bytes; longer ones are cut and flagged `truncated`. Default: as long as they are. */
  readonly maxBytes?: number;
  /** Room for each message's ancillary data in bytes; more sets `controlTruncated`. Default 8192, the most. */
  readonly maxControl?: number;
}

export interface WaitOptions {
  /** Ends the wait; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * How a connection ended: `eof` a read came to the end; `hangup` the other side is gone, what is queued can still be
 * read; `error` the kernel's error on the socket (an expelled client of an EVICT bus: ENOBUFS); `closed` by `close()`.
 */
export interface End {
  readonly why: 'eof' | 'hangup' | 'error' | 'closed';
  /** errno name, with `error`. */
  readonly code?: string;
}
