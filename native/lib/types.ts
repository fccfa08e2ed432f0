// SPDX-License-Identifier: MIT
/** Options of the calls on a socket, and the end of its connection. */

import type { AddressLike } from './address.ts';
import type { Columns } from './columns.ts';
import type { Credentials } from './message.ts';

export interface SendOptions {
  /** Destination. Default: a client sends to its master, an accepted socket to its client. */
  readonly to?: AddressLike;
  /** Bus path of the destination, for checking only: another bus's path gives EHOSTUNREACH. */
  readonly path?: string;
  /** Descriptors to pass, at most 253. The caller keeps them, and must keep them open until the send is settled. */
  readonly fds?: readonly (number | { readonly fd: number })[];
  /** SCM_CREDENTIALS to show instead of this process's own; EPERM without the capability to forge them. */
  readonly credentials?: Credentials;
  /** Ends the wait for room; then nobody has got the message. */
  readonly signal?: AbortSignal;
  /** Fail with EAGAIN instead of waiting, also if earlier sends of this socket still wait. Default false. */
  readonly nonblocking?: boolean;
  /** More MSG_ flags, e.g. MSG_OOB. */
  readonly flags?: number;
}

export interface ReceiveOptions {
  /** Maximum number of messages, 1 to 256; default 64. */
  readonly max?: number;
  /** Read the first message and leave it in the queue (MSG_PEEK); `max` is 1 then. */
  readonly peek?: boolean;
  /** Room for each message's bytes; longer ones are cut and flagged `truncated`. Default: no limit. */
  readonly maxBytes?: number;
  /** Room for each message's ancillary data, in bytes; more sets `controlTruncated`. Default and maximum: 8192. */
  readonly maxControl?: number;
}

/** As much of an AbortSignal as a wait needs. */
export interface Interrupt {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options: { readonly once: true }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** For agents: a batch may come in columns (columns.ts) if all of its messages have an envelope with this nonce. */
export interface MarkedReceiveOptions extends ReceiveOptions {
  readonly nonce?: number;
  /** Gets each batch in columns; the receive goes on, and ends with another batch, the end or an error. */
  readonly onColumns?: (columns: Columns) => void;
  readonly signal?: Interrupt;
}

export interface WaitOptions {
  /** Ends the wait; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * How a connection ended. `eof`: a read came to the end. `hangup`: the other side is gone; queued messages can still be
 * read. `error`: an error of the socket (a client evicted by its bus: ENOBUFS). `closed`: by `close()`.
 */
export interface End {
  readonly why: 'eof' | 'hangup' | 'error' | 'closed';
  /** errno name, if `why` is `error`. */
  readonly code?: string;
}
