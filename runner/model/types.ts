// SPDX-License-Identifier: MIT
/** The state of one bus (docs/af_bus.md): plain data, which only the functions in this folder change. */
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

/** What a sender passes in; each copy refers to the same object. */
export interface Message {
  /** Absent: without a destination (section 3.1). */
  readonly to?: Address;
  /** Absent: without a path (section 3.2). */
  readonly path?: string;
  /** In bytes. */
  readonly length: number;
  /** What match rules refer to; absent if it is no D-Bus message (docs/dbus.md section 3). */
  readonly dbus?: Subject | undefined;
}

/** What all copies of a message share. */
export interface Sent {
  readonly message: Message;
  /** Its number in the bus's sequence. */
  readonly seq: number;
  /** The sender's prefix-0 address; that of the master is 0 (section 2). */
  readonly from: Address;
  readonly sender: Endpoint;
  /** What it weighs in each queue, and for its sender. */
  readonly weight: number;
  /** Number of copies for which the sender is charged: the charge ends with the last of them. */
  holders: number;
}

/** One message in one receive queue. */
export interface Copy {
  readonly sent: Sent;
  /** Bytes; fewer than in the message if the recipient's filter cut it. */
  readonly length: number;
  /** BUS_SCM_LOST: number of copies that the recipient missed before this one. */
  readonly lost: number;
  /** The recipient gets it as an eavesdropper: nobody is charged for it. */
  readonly eavesdropped: boolean;
  /** Its sender is charged until it is read. */
  charged: boolean;
}

/** BUS_PROTO_NONE, BUS_PROTO_DBUS */
export type Protocol = 'none' | 'dbus';

export type Overflow = 'block' | 'fail' | 'evict';

/** How many bytes of a message a socket's filters keep: `message.length` for all of it, 0 drops it (section 3.7). */
export type Filter = (message: Message, recipient: Endpoint) => number;

/** One copy, for the hook of section 6. */
export interface Passing {
  readonly message: Message;
  readonly sender: Endpoint;
  readonly recipient: Endpoint;
  readonly multicast: boolean;
  readonly eavesdropped: boolean;
}

/** Why a copy may not be delivered, usually EPERM; undefined if it may. */
export type Verdict = (passing: Passing) => Errno | undefined;

export interface Bus {
  /** The path from getsockname. */
  readonly path: string;
  readonly verdict: Verdict | undefined;
  readonly protocol: Protocol;
  /** Maximum number of connections that wait to be accepted; if there are more, connect waits. */
  readonly maxBacklog: number;
  /** For both ends of connections that are made later. */
  queueLength: number;
  sendBuffer: number;
  overflow: Overflow;
  listening: boolean;
  /** The last number in the sequence. */
  seq: number;
  /** Client part of the last prefix-0 address. */
  lastClient: number;
  readonly backlog: Endpoint[];
  /** Accepted sockets that are open. */
  readonly accepted: Set<Endpoint>;
  /** Every address that is held by a client, joined or not. */
  readonly holders: Map<Address, Endpoint>;
  /** Prefix as four hex digits → the clients that hold an address with it, joined or not. */
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
  /** Number of messages; the queue is full if it holds more. */
  readonly queueLength: number;
  /** In bytes. */
  readonly sendBuffer: number;
  readonly queue: Fifo<Copy>;
  filter: Filter | undefined;
  /** A client's match rules in the order in which they were added (docs/dbus.md section 3). */
  rules: readonly Rule[];
  /** The other end; undefined after either end was closed. */
  peer: Endpoint | undefined;
  /** A client that the master has admitted and that is still on the bus. */
  joined: boolean;
  /** A client that was expelled or has left. */
  out: boolean;
  /** Addresses of a client, including its prefix-0 address. */
  readonly addresses: Set<Address>;
  /** Nothing more will come. */
  shutRead: boolean;
  /** It cannot send any more. */
  shutWrite: boolean;
  closed: boolean;
  /** SO_ERROR */
  error: Errno | undefined;
  /** Copies missed since the last one that was queued. */
  lost: number;
  /** Weight of the messages in its queue. */
  queued: number;
  /**
   * Set when the queue became full by its weight, until the weight has fallen far enough: a bus that blocks treats it
   * as full.
   */
  draining: boolean;
  /** Weight of the messages that it is charged for. */
  charged: number;
  /** Number of these messages. */
  unread: number;
}

/** The outcome of a send. */
export type Outcome = Delivered | { readonly error: Errno; readonly because: string } | Waiting;

export interface Delivered {
  /** Its number in the sequence. */
  readonly sent: number;
  /** The rule that chose its recipients. */
  readonly because: string;
  /** The endpoints that got a copy: recipients first, then eavesdroppers. */
  readonly copies: readonly Endpoint[];
  /** Eavesdroppers that missed it. */
  readonly lost: readonly Endpoint[];
  /** Clients that were evicted, because it did not fit into their queues. */
  readonly evicted: readonly Endpoint[];
  /** Recipients whose filter dropped it. */
  readonly dropped: readonly Endpoint[];
  /** Recipients that the hook of section 6 left out. */
  readonly denied: readonly Endpoint[];
}

/**
 * Nothing has happened: the caller waits and tries again when one of `wait` has changed, or returns EAGAIN. The
 * sender's own endpoint in it stands for its receive queue, or its send buffer.
 */
export interface Waiting {
  readonly wait: readonly Endpoint[];
  readonly for: 'queue' | 'own-queue' | 'send-buffer';
}
