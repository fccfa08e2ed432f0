// SPDX-License-Identifier: MIT
/** The trace: what every agent saw and did, merged. Judged by `verdict` without any other source. */

import type { DbusReport } from '../agent/protocol.ts';
import type { Address } from '../common/address.ts';
import type { Time } from '../common/clock.ts';
import type { Credentials } from '../common/credentials.ts';
import type { Lane } from '../topology/lane.ts';

/**
 * A send, from just before the call to just after its return. An invocation that never returned has no `t1`: the
 * sender ended before it could tell, so the message may or may not have been sent, at `t0` or later.
 */
export interface SendEvent {
  readonly agent: string;
  /** PlannedMessage.number */
  readonly message: number;
  readonly t0: Time;
  readonly t1?: Time;
  /** errno name of a failed send. */
  readonly error?: string;
}

/** A message taken from a socket. */
export interface DeliveryEvent {
  readonly lane: Lane;
  /** Place in the lane, from 0, fences counted: the order in which this socket gave its messages. */
  readonly position: number;
  /** Just after it was taken: a send of the same agent with a later `t0` may have been caused by it. */
  readonly t: Time;
  /** PlannedMessage.number, a fence's own number; null for a datagram without our envelope or of another run. */
  readonly message: number | null;
  readonly fence: boolean;
  /** BUS_SCM_SEQ: the kernel's own place of the message in the bus's sequence. */
  readonly sequence?: number | undefined;
  /** Sender's address as the kernel tells it. */
  readonly from: Address;
  /** Bytes received. */
  readonly length: number;
  /** The body received has the crc32 that its envelope promises, and the promised length. */
  readonly intact: boolean;
  /** MSG_TRUNC, MSG_CTRUNC */
  readonly truncated: boolean;
  readonly controlTruncated: boolean;
  readonly credentials?: Credentials | undefined;
  readonly fds: number;
  /** BUS_SCM_LOST: copies that this eavesdropper missed just before this one. */
  readonly lost: number;
}

/** Deliveries in an order: an array of them, or their columns. */
export interface Deliveries extends Iterable<DeliveryEvent> {
  readonly length: number;
  at(index: number): DeliveryEvent | undefined;
  some(test: (delivery: DeliveryEvent) => boolean): boolean;
}

/** A message that a client of a message bus has sent, or got; see `DbusReport` of the agents' protocol. */
export type DbusEvent = { readonly client: string } & DbusReport;

/** The unique name of a client of a message bus. */
export interface DbusJoin {
  readonly client: string;
  readonly unique: string;
}

/** What a process wrote to stderr. */
export interface LogEvent {
  readonly agent: string;
  readonly text: string;
}

/** Tokens that the maker of a pipe read back: one line per receiver that used its descriptor, then EOF. */
export interface PipeEvent {
  readonly agent: string;
  readonly message: number;
  /** Its place among the message's descriptors: a message with two has two events. */
  readonly index: number;
  /** Lanes whose receivers wrote a token. */
  readonly tokens: readonly Lane[];
  /** All write ends are closed: no descriptor leaked. */
  readonly eof: boolean;
}

/** A socket's end as its owner saw it: EOF (recv 0), hang-up, or an error. */
export interface EndEvent {
  readonly lane: Lane;
  readonly t: Time;
  readonly why: 'eof' | 'hangup' | 'closed' | 'error';
  readonly errno?: string;
}

/** An attachment: what connect and accept told about a client. */
export interface AttachEvent {
  readonly client: string;
  readonly bus: string;
  /** Prefix-0 address as getsockname gave it. */
  readonly address: Address;
  /** As accept gave it, null where the client was never accepted. */
  readonly peer: Address | null;
  readonly joined: boolean;
  /** SO_PEERCRED of the accepted socket, in the master's namespaces. */
  readonly credentials?: Credentials;
  /** pid as the client itself knows it, and an id of its pid namespace. */
  readonly pid: number;
  readonly pidNamespace: string;
}

/**
 * A step and what came of it. The clock is the agents': `t0` is the latest time known before anything of the step was
 * ordered, `t1` the latest after all of it was answered, so that what the step did lies between the two.
 */
export interface StepEvent {
  /** Its id. */
  readonly step: string;
  readonly t0: Time;
  /** Of a fault: the latest time known before it took effect, when its moment had come. */
  readonly moment?: Time;
  readonly t1: Time;
  /** Absent when it did what it should. */
  readonly failure?: {
    readonly check: 'blocked' | 'lifetime' | 'errors';
    readonly expected: string;
    readonly observed: string;
  };
}

export interface AgentExit {
  readonly agent: string;
  readonly code: number | null;
  readonly signal: string | null;
  /** The run asked for it (a fault step, or the end of the run). */
  readonly wanted: boolean;
}

/** A fence: a message to every joined client of its bus, sent when all of a step's sends had returned. */
export interface FenceEvent {
  readonly bus: string;
  readonly number: number;
  /** It was sent later than this: the latest time known when it was ordered. Absent in traces that do not tell. */
  readonly t0?: Time;
  /** The lane through which it was sent. */
  readonly sender: Lane;
  /** Lanes that had to receive it. */
  readonly lanes: readonly Lane[];
}

/** A kernel log line of warning level or worse, or one that names a splat, during the run. */
export interface KernelLine {
  readonly level: number;
  readonly text: string;
}

/** An agent as it knows itself; what the pids of credentials are compared with. */
export interface ProcessEvent {
  readonly agent: string;
  readonly pid: number;
  readonly pidNamespace: string;
}

/** All who live have read all they had, and nothing moves any more: a copy that is missing does not come. */
export interface ReadOut {
  /** Messages whose senders wait still, though there is room everywhere. */
  readonly stuck: readonly number[];
}

export interface Trace {
  readonly sends: readonly SendEvent[];
  /** Per lane, in lane order. */
  readonly deliveries: ReadonlyMap<Lane, Deliveries>;
  readonly pipes: readonly PipeEvent[];
  readonly attaches: readonly AttachEvent[];
  /** Masters are in no attachment; pids that involve an agent which is in neither are not judged. */
  readonly processes?: readonly ProcessEvent[];
  readonly ends: readonly EndEvent[];
  readonly steps: readonly StepEvent[];
  readonly exits: readonly AgentExit[];
  readonly kernel: readonly KernelLine[];
  readonly fences: readonly FenceEvent[];
  /** What clients of message buses sent and got, each client's in its own order; absent where there are none. */
  readonly dbus?: readonly DbusEvent[];
  readonly joins?: readonly DbusJoin[];
  readonly logs?: readonly LogEvent[];
  /** Sockets of the family left in the run's network namespace after all agents ended; null where not measured. */
  readonly socketsLeft: number | null;
  /** Why the run ended before its last step; absent when it did not. */
  readonly cut?: string;
  /** When that was, as far as the agents had told: from then on everyone reads, and sends find room that they would not have had. */
  readonly cutAt?: Time;
  /** Absent unless every queue was read empty after the run was cut. */
  readonly readOut?: ReadOut;
}
