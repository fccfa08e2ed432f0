// SPDX-License-Identifier: MIT
/** The state of one bus (docs/af_bus.md): plain data, changed by the functions of this folder and by nobody else. */
import type { Address } from '../common/address.ts';
import type { Rule, Subject } from '../dbus/index.ts';
import type { Fifo } from './fifo.ts';

export type Errno =
  | 'EADDRINUSE'
  | 'EADDRNOTAVAIL'
  | 'EAGAIN'
  | 'ECONNREFUSED'
  | 'ECONNRESET'
  | 'EHOSTUNREACH'
  | 'EINVAL'
  | 'EMSGSIZE'
  | 'ENOENT'
  | 'ENOBUFS'
  | 'ENOTCONN'
  | 'EPERM'
  | 'EPIPE';

/** What a sender hands over, and finds again in each copy: the very same object, whatever else is in it. */
export interface Message {
  /** Absent: no destination was given (section 3.1). */
  readonly to?: Address;
  /** Absent: no path was given (section 3.2). */
  readonly path?: string;
  /** Bytes. */
  readonly length: number;
  /** What rules can look at; absent where it is no D-Bus message (docs/dbus.md section 3). */
  readonly dbus?: Subject | undefined;
}

/** What all copies of a message share. */
export interface Sent {
  readonly message: Message;
  /** Its place in the bus's sequence. */
  readonly seq: number;
  /** The sender's prefix-0 address, the master's 0 (section 2). */
  readonly from: Address;
  readonly sender: Endpoint;
  /** What each queue holds of it, and what its sender is charged with. */
  readonly weight: number;
  /** Copies for which the sender is charged: the charge ends with the last of them. */
  holders: number;
}

/** One message in one receive queue. */
export interface Copy {
  readonly sent: Sent;
  /** Bytes; fewer than the message's where the recipient's filter cut it. */
  readonly length: number;
  /** BUS_SCM_LOST: copies that the recipient has missed before this one. */
  readonly lost: number;
  /** It is here because the recipient watches: nobody is charged for it. */
  readonly eavesdropped: boolean;
  /** Its sender is charged until it is taken. */
  charged: boolean;
}

/** BUS_PROTO_NONE, BUS_PROTO_DBUS */
export type Protocol = 'none' | 'dbus';

export type Overflow = 'block' | 'fail' | 'evict';

/** Bytes of a message that a socket's filters let through: `message.length` all of it, 0 drops it (section 3.7). */
export type Filter = (message: Message, recipient: Endpoint) => number;

/** One copy as the hook of section 6 sees it. */
export interface Passing {
  readonly message: Message;
  readonly sender: Endpoint;
  readonly recipient: Endpoint;
  readonly multicast: boolean;
  readonly eavesdropped: boolean;
}

/** Why a copy may not pass, usually EPERM; undefined where it may. */
export type Verdict = (passing: Passing) => Errno | undefined;

export interface Bus {
  /** As getsockname shows it. */
  readonly path: string;
  readonly verdict: Verdict | undefined;
  readonly protocol: Protocol;
  /** Connections that nobody has accepted, beyond which connect waits. */
  readonly maxBacklog: number;
  /** For clients that connect afterwards, both ends. */
  queueLength: number;
  sendBuffer: number;
  overflow: Overflow;
  listening: boolean;
  /** Last place given in the sequence. */
  seq: number;
  /** Client part of the last prefix-0 address. */
  lastClient: number;
  readonly backlog: Endpoint[];
  /** Accepted sockets that are open. */
  readonly accepted: Set<Endpoint>;
  /** Every address that is held, by clients joined or not. */
  readonly holders: Map<Address, Endpoint>;
  /** Prefix, four hex digits → the clients that hold an address in it, joined or not. */
  readonly groups: Map<string, Set<Endpoint>>;
  readonly joined: Set<Endpoint>;
  readonly eavesdroppers: Set<Endpoint>;
  /** Well-known name → its owner (docs/dbus.md section 3). */
  readonly names: Map<string, Endpoint>;
}

/** A client's own socket, or its accepted socket on the master's side. */
export interface Endpoint {
  readonly bus: Bus;
  readonly side: 'client' | 'accepted';
  /** The prefix-0 address of the pair's client. */
  readonly address: Address;
  /** Path that connect was given. */
  readonly path: string;
  /** Messages; the queue is full when it holds more. */
  readonly queueLength: number;
  /** Bytes. */
  readonly sendBuffer: number;
  readonly queue: Fifo<Copy>;
  filter: Filter | undefined;
  /** A client's match rules, in the order in which it got them (docs/dbus.md section 3). */
  rules: readonly Rule[];
  /** The other half; undefined once either is closed. */
  peer: Endpoint | undefined;
  /** A client that the master has let onto the bus, and that is still there. */
  joined: boolean;
  /** A client that was expelled or has left. */
  out: boolean;
  /** A client's, its prefix-0 address included. */
  readonly addresses: Set<Address>;
  /** Nothing comes any more. */
  shutRead: boolean;
  /** It cannot send any more. */
  shutWrite: boolean;
  closed: boolean;
  /** SO_ERROR */
  error: Errno | undefined;
  /** Copies missed since the last one that came. */
  lost: number;
  /** The weight of what is in its queue. */
  queued: number;
  /** The queue became full by its weight, and has not come down far enough since: on a bus that blocks it is still full. */
  draining: boolean;
  /** The weight of its own messages that it is charged for. */
  charged: number;
  /** The number of these messages. */
  unread: number;
}

/** The outcome of a send. */
export type Outcome = Delivered | { readonly error: Errno; readonly because: string } | Waiting;

export interface Delivered {
  /** Its place in the sequence. */
  readonly sent: number;
  /** The rule that chose its recipients. */
  readonly because: string;
  /** Whose queues it is in, recipients first, then eavesdroppers. */
  readonly copies: readonly Endpoint[];
  /** Eavesdroppers that missed it. */
  readonly lost: readonly Endpoint[];
  /** Clients that had to go, since it did not fit into their queues. */
  readonly evicted: readonly Endpoint[];
  /** Those whose filter kept it from them. */
  readonly dropped: readonly Endpoint[];
  /** Those whom the hook of section 6 has left out. */
  readonly denied: readonly Endpoint[];
}

/**
 * Nothing happened: the caller waits and tries again once one of `wait` has changed, or gives EAGAIN. The sender's own
 * endpoint stands for its own receive queue, or its send buffer.
 */
export interface Waiting {
  readonly wait: readonly Endpoint[];
  readonly for: 'queue' | 'own-queue' | 'send-buffer';
}
