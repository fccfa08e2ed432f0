// SPDX-License-Identifier: MIT
/**
 * What the runner, node agents and agents say to each other: one JSON value per line.
 *
 * A *node agent* is the process that a node runs and ends with. It starts the node's *agents* (one process per client
 * or master), gives them orders, passes their lines to the runner unchanged, and sends signals. The runner talks to node
 * agents only.
 *
 *   runner ⇄ node agent:  NodeOrder / NodeReport      over the container's stdin and stdout, or a host channel
 *   node agent ⇄ agents:  ProcessOrder / NodeReport   over the stdin and stdout of a process of agents
 */

import type { Address } from '../common/address.ts';
import type { Time } from '../common/clock.ts';
import type { Credentials } from '../common/credentials.ts';
import type { Filter } from '../common/filter.ts';
import type { OrderedFault, Signal } from '../topology/faults.ts';
import type { Lane } from '../topology/lane.ts';
import type { BusLimits } from '../topology/message-bus.ts';
import type { Overflow, Protocol, User } from '../topology/topology.ts';

export const PROTOCOL_VERSION = 7;

export type NodeOrder =
  | {
      readonly do: 'spawn';
      readonly agent: string;
      readonly user: User;
      readonly env: Readonly<Record<string, string>>;
      /**
       * Agents of one pack share a process, which has the user and environment of the first. Such a process takes
       * SIGKILL only.
       */
      readonly pack?: string;
    }
  /** Gives the same order to several agents of this node. Each of them answers it. */
  | { readonly do: 'tell'; readonly agents: readonly string[]; readonly order: AgentOrder }
  /** Gives the next order after the one before it was answered with `done`, and none after another answer. */
  | { readonly do: 'tell-in-turn'; readonly orders: readonly AddressedOrder[] }
  /** Answered by `signalled` once the signal took effect: the process has stopped, runs again, or has ended. */
  | { readonly do: 'signal'; readonly agent: string; readonly signal: Signal }
  /**
   * Lets the agent use that many more bytes. Answered by `limited` when the kernel has killed the process, or by
   * `not-limited`.
   */
  | { readonly do: 'limit-memory'; readonly agent: string; readonly bytes: number }
  /** Collects the kernel's warnings from now on, and reports them just before `ended` or `detached`. */
  | { readonly do: 'watch-kernel' }
  /** Kills every agent. Answered by `ended`, with what is left in the network namespace. */
  | { readonly do: 'end' }
  /** The runner goes away and the node stays up; its agents go on reading without reports. Answered by `detached`. */
  | { readonly do: 'detach' };

export interface AddressedOrder {
  readonly agent: string;
  readonly order: AgentOrder;
}

/** Orders for a process of agents. */
export type ProcessOrder =
  | { readonly start: string }
  | { readonly agents: readonly string[]; readonly order: AgentOrder }
  | { readonly inTurn: readonly AddressedOrder[] };

export type NodeReport =
  /** First line of a node agent. Anything before it on the stream is noise of the transport. */
  | {
      readonly say: 'hello';
      readonly version: number;
      readonly kernel: string;
      /** Family number, or why there is none. */
      readonly bus: { readonly family: number } | { readonly missing: string };
      readonly pid: number;
    }
  | { readonly say: 'spawned'; readonly agent: string; readonly pid: number }
  /** Of a process of agents: what its lanes took. Comes before what their agents say later. */
  | { readonly say: 'batches'; readonly list: readonly PackedBatch[] }
  /** A line of the agent itself. */
  | { readonly say: 'heard'; readonly agent: string; readonly report: AgentReport }
  | { readonly say: 'stderr'; readonly agent: string; readonly text: string }
  /** `began`: just before the signal was sent; `t`: just after it had taken effect. */
  | {
      readonly say: 'signalled';
      readonly agent: string;
      readonly signal: Signal;
      readonly began: Time;
      readonly t: Time;
    }
  /** `began`: just before the limit was set; `t`: just after the process had ended. */
  | { readonly say: 'limited'; readonly agent: string; readonly began: Time; readonly t: Time }
  | { readonly say: 'not-limited'; readonly agent: string; readonly error: SystemErrorData }
  /** Comes after everything that the agent said. `error` says why the agent could not be started. */
  | {
      readonly say: 'exit';
      readonly agent: string;
      readonly code: number | null;
      readonly signal: string | null;
      readonly error?: string;
    }
  | { readonly say: 'kernel'; readonly level: number; readonly text: string }
  | { readonly say: 'ended'; readonly socketsLeft: number | null }
  | { readonly say: 'detached' };

/**
 * Every order has an `id`, and is answered once by `done` or `failed`. Reports without an id may come in between; those
 * that belong to an order come before its answer. Orders begin in the order given; one that waits delays no other.
 */
export type AgentOrder = { readonly id: number } & Order;

/** How a client answers a method: a message (marshalled, in base64) with the write ends of `pipes` new pipes. */
export interface AnswerOrder {
  readonly message: string;
  readonly pipes: number;
}

/** A service of a message bus: a client that waits at `at`, or a program that ends at once. */
export type ServiceOrder = { readonly name: string } & ({ readonly at: string } | { readonly exit: number });

export type Order =
  | FaultOrder
  /** Master: runs our D-Bus daemon in its process; `done` when clients can connect. */
  | {
      readonly do: 'serve-dbus';
      readonly path: string;
      readonly unixPath: string;
      readonly limits: BusLimits;
      readonly services: readonly ServiceOrder[];
    }
  /** Client: `done` when the bus can start it at `at`. */
  | { readonly do: 'be-startable'; readonly at: string }
  /** Client: answered by `done`, with `started`, when the bus has started it, or `within` ms passed. */
  | { readonly do: 'await-start'; readonly within: number }
  /**
   * Client: joins a message bus; answers with its unique name. `client`: what it writes into the descriptors that it
   * gets. `answers`: by method.
   */
  | {
      readonly do: 'join-dbus';
      readonly client: string;
      readonly path: string;
      readonly connect: 'native' | 'legacy';
      readonly answers: Readonly<Record<string, AnswerOrder>>;
    }
  /**
   * Client: sends the message (marshalled, in base64) `count` times, with serials counted up from `serial`, each with
   * the write ends of `pipes` new pipes. If they are `answered`, it is `done` when the answers have come, or
   * `within` ms passed.
   */
  | {
      readonly do: 'send-dbus';
      readonly message: string;
      readonly serial: number;
      readonly count: number;
      readonly pipes: number;
      readonly destination?: string;
      readonly answered: boolean;
      readonly within: number;
    }
  /**
   * Client: `done` when the bus has forgotten these unique names, and everything that came before that was reported.
   */
  | { readonly do: 'settle-dbus'; readonly gone: readonly string[]; readonly within: number }
  /**
   * Client: starts a program with the bus of this address as its session bus; `done` when it runs. `names`: unique
   * names and what is written in their place in its output.
   */
  | {
      readonly do: 'run-program';
      readonly argv: readonly [string, ...string[]];
      readonly address: string;
      readonly names: readonly (readonly [unique: string, client: string])[];
    }
  /**
   * Client: `done` when the program has ended, or (unless `end`) lines of its output contain these texts in this order,
   * or `within` ms passed. A program that has to end by then is killed.
   */
  | {
      readonly do: 'await-program';
      readonly end: boolean;
      readonly texts: readonly string[];
      readonly within: number;
    }
  /** Client: kills the program and whatever it has started; `done` when it has ended. */
  | { readonly do: 'kill-program' }
  /** Master: binds, listens and accepts from then on. */
  | {
      readonly do: 'listen';
      readonly bus: string;
      readonly path: string;
      readonly protocol: Protocol;
      readonly queueLength?: number;
      readonly sendBuffer?: number;
      readonly overflow: Overflow;
      readonly nonce: number;
    }
  /**
   * Master: gives the client at `peer` a name and reads its socket from now on; answers with its `credentials` once it
   * is accepted.
   */
  | { readonly do: 'name'; readonly peer: Address; readonly client: string; readonly lane: Lane }
  /** Master: makes the client the owner of a well-known D-Bus name. */
  | { readonly do: 'set-name'; readonly client: string; readonly name: string }
  /** Client: answers with its prefix-0 address. */
  | {
      readonly do: 'connect';
      readonly lane: Lane;
      readonly path: string;
      readonly protocol: Protocol;
      readonly receive: 'auto' | 'manual';
      readonly filter?: Filter;
      /** Bytes to read of each message at most. */
      readonly buffer?: number;
      readonly nonce: number;
    }
  /** Answered by `done` when every message was sent or has failed; `sends` reports which. */
  | {
      readonly do: 'send';
      /** Master only: the client whose accepted socket sends. */
      readonly via?: string;
      /** null: no destination (a client sends to its master, an accepted socket to its client). */
      readonly to: Address | null;
      readonly first: number;
      readonly count: number;
      readonly seed: number;
      /** base64 */
      readonly payload?: string;
      /** A D-Bus message without its serial and envelope, in base64: JSON cannot represent some of its values. */
      readonly template?: string;
      readonly size?: { readonly min: number; readonly max: number };
      readonly rate?: number;
      readonly pipes: number;
      readonly nonblocking: boolean;
      /** Number of messages, from the first on, that are reported as soon as each has returned. */
      readonly prompt?: number;
    }
  /** Answered by `done` when the fence was sent. */
  | { readonly do: 'fence'; readonly via?: string; readonly to: Address; readonly number: number }
  /** Client: answered by `done` when this fence was received, or the socket has ended. */
  | { readonly do: 'await-fence'; readonly number: number }
  /**
   * Answered by `done` after a read of every lane of this agent has found it empty; lanes that nobody reads are
   * skipped.
   */
  | { readonly do: 'drain' }
  /** Answered by `done` at once, which flushes the reports: a process that is killed loses the rest. */
  | { readonly do: 'report' }
  /**
   * Answered by `done`, with `blocked`, when the state is as asked, or `within` ms passed. A send is blocked if it was
   * tried just now and found no room: `message` is its number.
   */
  | { readonly do: 'await-blocked'; readonly blocked: boolean; readonly within: number }
  /** Client: answered by `done`, with `ended`, when the socket has ended, or `within` ms passed. */
  | { readonly do: 'await-end'; readonly within: number }
  /** Waits for the end of file of every pipe that this agent made, and reports all of them. */
  | { readonly do: 'collect-pipes'; readonly within: number };

type OrderOf<F> = F extends OrderedFault ? { readonly do: F['fault'] } & Omit<F, 'fault'> : never;
/**
 * A fault of the file, for the client or the master that carries it out.
 *
 * - `leave`: closes the listener and every accepted socket; messages queued there stay unread.
 * - `limit`: how many more descriptors may be open; those of earlier messages are closed by then.
 * - `read`: answers `done` after `count` messages, or with `all` after the lane was found empty, or when it has ended.
 */
export type FaultOrder = OrderOf<OrderedFault>;

export interface SystemErrorData {
  /** errno name, or the name of an error that has none. */
  readonly code: string;
  readonly message: string;
  readonly syscall?: string;
}

/** Messages that follow each other, in columns: a crowd has millions of deliveries. */
interface PackedMessages {
  /** The fence's number if FLAG_FENCE is set. */
  readonly message: readonly (number | null)[];
  readonly sequence: readonly (number | null)[];
  readonly length: readonly number[];
  /** Indexes of `kinds`. */
  readonly kind: readonly number[];
  readonly kinds: readonly PackedKind[];
}

/** Deliveries of one lane. */
export interface PackedDeliveries extends PackedMessages {
  readonly lane: Lane;
  /** Position of the first one; the others follow without a gap. */
  readonly position: number;
  /** Each time at which the lane took messages, and how many. */
  readonly taken: readonly (readonly [t: Time, count: number])[];
  /** Of each message that is not whole: its index here, and the checksum of what was read (`checksumOf`). */
  readonly checksums: readonly (readonly [index: number, checksum: number])[];
}

/** Whole messages of one read, which lanes of one process took alike. */
export interface PackedBatch extends PackedMessages {
  /** The lanes: for each, the position of the first message, and when it took them all. */
  readonly takers: readonly (readonly [lane: Lane, position: number, t: Time])[];
}

/** Values that most deliveries of a lane have in common. */
export type PackedKind = readonly [
  flags: number,
  from: Address,
  credentials: readonly [pid: number, uid: number, gid: number] | null,
  fds: number,
  lost: number,
];

/** `t1` is null while the send waits for room; it is reported again when it has returned. */
export type PackedSend = readonly [message: number, t0: Time, t1: Time | null, error: string | null];

export type AgentReport =
  | { readonly say: 'ready'; readonly pid: number; readonly pidNamespace: string }
  /** `began`: just before the order was carried out; `t`: just after it. */
  | {
      readonly say: 'done';
      readonly id: number;
      readonly began: Time;
      readonly t: Time;
      readonly result?: OrderResult;
    }
  | { readonly say: 'failed'; readonly id: number; readonly t: Time; readonly error: SystemErrorData }
  | { readonly say: 'deliveries'; readonly list: readonly PackedDeliveries[] }
  | { readonly say: 'sends'; readonly list: readonly PackedSend[] }
  | { readonly say: 'dbus'; readonly list: readonly DbusReport[] }
  | {
      readonly say: 'pipe';
      /** Of a client of a message bus: the serial of its message, or of the call that it has answered. */
      readonly message: number;
      /** Index among the message's descriptors. */
      readonly index: number;
      /** Of a client of a message bus: its answer had the descriptor, not its own message with that serial. */
      readonly answer?: true;
      readonly tokens: readonly Lane[];
      readonly eof: boolean;
    }
  | {
      readonly say: 'end';
      readonly lane: Lane;
      readonly t: Time;
      readonly why: 'eof' | 'hangup' | 'closed' | 'error';
      readonly errno?: string;
    };

/** A message that a client of a message bus has sent or received. */
export type DbusReport = DbusSent | DbusGot;

export interface DbusSent {
  readonly kind: 'sent';
  readonly serial: number;
  readonly t: Time;
  /** errno name of the system call that failed. */
  readonly error?: string;
}

export interface DbusGot {
  readonly kind: 'got';
  /** Index among the messages that this client received, from 0. */
  readonly position: number;
  readonly t: Time;
  readonly type: string;
  readonly sender: string;
  readonly serial: number;
  readonly replySerial?: number;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly errorName?: string;
  /** Its arguments, as `argsText` prints them. */
  readonly args: string;
  /** Its arguments that are strings, for messages of the bus itself. */
  readonly texts: readonly string[];
  /** How many descriptors came with it; absent if none did. */
  readonly fds?: number;
}

/** A program, when an order about it is answered. */
export interface ProgramState {
  readonly state:
    | 'runs'
    | 'ended'
    /** It did not end in time. */
    | 'late'
    /** It was killed, since it wrote more than is kept. */
    | 'wordy'
    | 'killed'
    /** The system has no programs: it is a simulated one. */
    | 'simulated';
  /** Its exit status; absent if it runs, or a signal ended it. */
  readonly exit?: number;
  readonly signal?: string;
  /** What it has written to its standard output, with the names of clients in place of their unique names. */
  readonly output: string;
  /** The last lines that it has written to its standard error. */
  readonly errors: readonly string[];
}

export interface OrderResult {
  readonly program?: ProgramState;
  readonly unique?: string;
  readonly address?: Address;
  readonly credentials?: Credentials;
  readonly blocked?: boolean;
  readonly message?: number;
  readonly ended?: boolean;
  readonly started?: boolean;
  /** Number of messages that this order read. */
  readonly read?: number;
}

export const FLAG_FENCE = 1;
export const FLAG_INTACT = 2;
export const FLAG_TRUNCATED = 4;
export const FLAG_CONTROL_TRUNCATED = 8;
