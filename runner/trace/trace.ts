// SPDX-License-Identifier: MIT
/** The trace: what all agents saw and did, merged. `verdict` judges it without any other source. */

import type { DbusReport, ProgramState } from '../agent/protocol.ts';
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

/** A message that was read from a socket. */
export interface DeliveryEvent {
  readonly lane: Lane;
  /** Index in the lane, from 0, including fences: the order in which messages were read from this socket. */
  readonly position: number;
  /** Just after it was taken: a send of the same agent with a later `t0` may have been caused by it. */
  readonly t: Time;
  /** PlannedMessage.number, a fence's own number; null for a datagram without our envelope or of another run. */
  readonly message: number | null;
  readonly fence: boolean;
  /** BUS_SCM_SEQ: the message's number in the bus's sequence, from the kernel. */
  readonly sequence?: number | undefined;
  /** The sender's address, from the kernel. */
  readonly from: Address;
  /** Bytes received. */
  readonly length: number;
  /** The body has the crc32 and the length that its envelope states. */
  readonly intact: boolean;
  /** Checksum of the bytes that were read (`checksumOf`), of a message that is not intact. */
  readonly checksum?: number | undefined;
  /** MSG_TRUNC, MSG_CTRUNC */
  readonly truncated: boolean;
  readonly controlTruncated: boolean;
  readonly credentials?: Credentials | undefined;
  readonly fds: number;
  /** BUS_SCM_LOST: copies that this eavesdropper missed just before this one. */
  readonly lost: number;
}

/** Deliveries in an order: an array, or columns. */
export interface Deliveries extends Iterable<DeliveryEvent> {
  readonly length: number;
  at(index: number): DeliveryEvent | undefined;
  some(test: (delivery: DeliveryEvent) => boolean): boolean;
}

/** A message that a client of a message bus has sent or received; see `DbusReport` of the agents' protocol. */
export type DbusEvent = { readonly client: string } & DbusReport;

/** The unique name of a client of a message bus. */
export interface DbusJoin {
  readonly client: string;
  readonly unique: string;
}

/** A program of a message bus, at the end of a step about it. */
export interface ProgramEvent extends ProgramState {
  readonly step: string;
  /** It is how the program was after the last step of the file; `step` is the last one about the program. */
  readonly atEnd?: true;
}

/** What a process wrote to stderr. */
export interface LogEvent {
  readonly agent: string;
  readonly text: string;
}

/** Tokens that the maker of a pipe read back: one line per receiver that used its descriptor, then EOF. */
export interface PipeEvent {
  readonly agent: string;
  /** PlannedMessage.number; of a client of a message bus: the serial of its message, or of the call that it has answered. */
  readonly message: number;
  /** Index among the message's descriptors: a message with two has two events. */
  readonly index: number;
  /** Of a client of a message bus: its answer had the descriptor, not its own message with that serial. */
  readonly answer?: true;
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
  /** Prefix-0 address from getsockname. */
  readonly address: Address;
  /** The address from accept; null if the client was never accepted. */
  readonly peer: Address | null;
  readonly joined: boolean;
  /** SO_PEERCRED of the accepted socket, in the master's namespaces. */
  readonly credentials?: Credentials;
  /** pid in the client's own pid namespace, and an id of that namespace. */
  readonly pid: number;
  readonly pidNamespace: string;
}

/**
 * A step and its outcome. The clock is the agents': `t0` is the latest time known before anything of the step was
 * ordered, `t1` the latest after all of it was answered. So everything that the step did lies between the two.
 */
export interface StepEvent {
  /** Id of the step. */
  readonly step: string;
  readonly t0: Time;
  /** For a fault: just before it took effect, after its own `at` or `after`. */
  readonly moment?: Time;
  /** Just after it had taken effect; absent if the agent ended before it could say. */
  readonly effect?: Time;
  readonly t1: Time;
  /** Absent if the step did what it should. */
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
  /** Whether the run asked for it (by a fault, or at the end). */
  readonly wanted: boolean;
}

/** A fence: a message to every joined client of its bus, sent when all of a step's sends had returned. */
export interface FenceEvent {
  readonly bus: string;
  readonly number: number;
  /** It was sent after this time: the latest time known when it was ordered. Absent in traces of earlier versions. */
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

/** A process and its pid as it sees itself, to compare the pids of credentials with. */
export interface ProcessEvent {
  readonly agent: string;
  readonly pid: number;
  readonly pidNamespace: string;
}

/** All living parties have read everything, and nothing moves any more: a copy that is missing will not come. */
export interface ReadOut {
  /** Messages whose senders still wait, although there is room everywhere. */
  readonly stuck: readonly number[];
}

export interface Trace {
  readonly sends: readonly SendEvent[];
  /** Per lane, in lane order. */
  readonly deliveries: ReadonlyMap<Lane, Deliveries>;
  readonly pipes: readonly PipeEvent[];
  readonly attaches: readonly AttachEvent[];
  /** Masters, which have no attachment. Pids of agents that are in neither list are not judged. */
  readonly processes?: readonly ProcessEvent[];
  readonly ends: readonly EndEvent[];
  readonly steps: readonly StepEvent[];
  readonly exits: readonly AgentExit[];
  readonly kernel: readonly KernelLine[];
  readonly fences: readonly FenceEvent[];
  /** What clients of message buses sent and received, in each client's order; absent if there are none. */
  readonly dbus?: readonly DbusEvent[];
  readonly joins?: readonly DbusJoin[];
  readonly programs?: readonly ProgramEvent[];
  readonly logs?: readonly LogEvent[];
  /** Sockets of the family left in the run's network namespace after all agents ended; null if not measured. */
  readonly socketsLeft: number | null;
  /** Why the run ended before its last step; absent if it did not. */
  readonly cut?: string;
  /**
   * The time of the cut on the agents' clock. After it all parties read, so sends find room that they would not have
   * had.
   */
  readonly cutAt?: Time;
  /** Present only if every queue was read empty after the run was cut. */
  readonly readOut?: ReadOut;
}
