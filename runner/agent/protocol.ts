// SPDX-License-Identifier: MIT
/**
 * What runner, node agents and agents say to each other: one JSON value a line.
 *
 * A *node agent* is the first process of a node. It starts the node's *agents* (one process a client or master),
 * tells them orders, passes their lines to the runner as they are, and sends signals. The runner speaks with node agents only.
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
import type { Overflow, Protocol, User } from '../topology/topology.ts';

export const PROTOCOL_VERSION = 4;

export type NodeOrder =
  | {
      readonly do: 'spawn';
      readonly agent: string;
      readonly user: User;
      readonly env: Readonly<Record<string, string>>;
      /** Agents of one pack share a process, with the user and environment of the first; none takes a signal but the last. */
      readonly pack?: string;
    }
  /** The same order to agents of this node, each of which answers it. */
  | { readonly do: 'tell'; readonly agents: readonly string[]; readonly order: AgentOrder }
  /** Each after the one before it was answered with `done`; none after one that was not. */
  | { readonly do: 'tell-in-turn'; readonly orders: readonly Told[] }
  /** Answered by `signalled` once it took effect: the process is stopped, or runs again; or by `exit`. */
  | { readonly do: 'signal'; readonly agent: string; readonly signal: Signal }
  /** The limit, in bytes more than it has now. Answered by `exit`, once the kernel has ended it, or by `not-limited`. */
  | { readonly do: 'limit-memory'; readonly agent: string; readonly bytes: number }
  /** From here on the kernel's warnings are kept, and told just before `ended` or `detached`. */
  | { readonly do: 'watch-kernel' }
  /** Kill every agent, then answer `ended` with what is left in the network namespace. */
  | { readonly do: 'end' }
  /** The runner goes away and the node stays up; the agents go on reading, unreported. Answered by `detached`. */
  | { readonly do: 'detach' };

export interface Told {
  readonly agent: string;
  readonly order: AgentOrder;
}

/** What a process of agents is told. */
export type ProcessOrder =
  | { readonly start: string }
  | { readonly agents: readonly string[]; readonly order: AgentOrder }
  | { readonly inTurn: readonly Told[] };

export type NodeReport =
  /** First line of a node agent; anything else on the stream before it is noise of the transport. */
  | {
      readonly say: 'hello';
      readonly version: number;
      readonly kernel: string;
      /** Family number, or why there is none. */
      readonly bus: { readonly family: number } | { readonly missing: string };
      readonly pid: number;
    }
  | { readonly say: 'spawned'; readonly agent: string; readonly pid: number }
  /** The agent's own line. */
  | { readonly say: 'heard'; readonly agent: string; readonly report: AgentReport }
  | { readonly say: 'stderr'; readonly agent: string; readonly text: string }
  /** `began`: before it was sent; `t`: once it had taken effect. */
  | {
      readonly say: 'signalled';
      readonly agent: string;
      readonly signal: Signal;
      readonly began: Time;
      readonly t: Time;
    }
  | { readonly say: 'not-limited'; readonly agent: string; readonly error: SystemErrorData }
  /** After everything the agent said. `error` tells why it could not be started. */
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
 * Every order has an `id`, answered once by `done` or `failed`; reports without an id may come in between, and those
 * that belong to an order come before its answer. Orders begin in the order given; one that waits holds up no other.
 */
export type AgentOrder = { readonly id: number } & Order;

export type Order =
  | FaultOrder
  /** Master: runs our D-Bus daemon in its process; `done` when clients can connect. */
  | { readonly do: 'serve-dbus'; readonly path: string; readonly unixPath: string }
  /** Client: joins a message bus; answers with its unique name. `answers`: marshalled messages, by method. */
  | {
      readonly do: 'join-dbus';
      readonly path: string;
      readonly connect: 'native' | 'legacy';
      readonly answers: Readonly<Record<string, string>>;
    }
  /**
   * Client: sends the message (marshalled, in base64) `count` times, with serials counted up from `serial`. A call is
   * `done` when its answer has come, or `within` ms passed.
   */
  | {
      readonly do: 'send-dbus';
      readonly message: string;
      readonly serial: number;
      readonly count: number;
      readonly destination?: string;
      readonly within: number;
    }
  /** Client: `done` once the bus has forgotten these unique names, and everything that came before that was told. */
  | { readonly do: 'settle-dbus'; readonly gone: readonly string[]; readonly within: number }
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
  /** Master: `peer` gets a name and is read from then on; answers, once it is accepted, with its `credentials`. */
  | { readonly do: 'name'; readonly peer: Address; readonly client: string; readonly lane: Lane }
  /** Master: says that the client owns a well-known name of D-Bus. */
  | { readonly do: 'set-name'; readonly client: string; readonly name: string }
  /** Client: answers with its prefix-0 address. */
  | {
      readonly do: 'connect';
      readonly lane: Lane;
      readonly path: string;
      readonly protocol: Protocol;
      readonly receive: 'auto' | 'manual';
      readonly filter?: Filter;
      readonly nonce: number;
    }
  /** Answers `done` when every message was sent or failed; which of the two is told by `sends`. */
  | {
      readonly do: 'send';
      /** Master only: the client whose accepted socket sends. */
      readonly via?: string;
      /** null: no destination (client → master, accepted socket → its client). */
      readonly to: Address | null;
      readonly first: number;
      readonly count: number;
      readonly seed: number;
      /** base64 */
      readonly payload?: string;
      /** A D-Bus message without its serial and envelope, in base64: JSON has no words for some of its values. */
      readonly template?: string;
      readonly size?: { readonly min: number; readonly max: number };
      readonly rate?: number;
      readonly pipes: number;
      readonly nonblocking: boolean;
      /** The first that many messages are told as soon as each has returned. */
      readonly prompt?: number;
    }
  /** Answers `done` once it was sent. */
  | { readonly do: 'fence'; readonly via?: string; readonly to: Address; readonly number: number }
  /** Client: answers `done` once this fence was received, or the socket has ended. */
  | { readonly do: 'await-fence'; readonly number: number }
  /** Answers `done` once a read of every lane of this agent found it empty; a lane that does not read is passed over. */
  | { readonly do: 'drain' }
  /** Answers `done` at once, and so tells what was seen until then: a process that is killed takes the rest with it. */
  | { readonly do: 'report' }
  /**
   * Answers `done` with `blocked` once the state is as asked, or `within` ms passed. Blocked is a send that was tried
   * just now and found no room: `message` is its number.
   */
  | { readonly do: 'await-blocked'; readonly blocked: boolean; readonly within: number }
  /** Client: answers `done` with `ended` once the socket has ended, or `within` ms passed. */
  | { readonly do: 'await-end'; readonly within: number }
  /** Waits for EOF of every pipe that this agent made and reports them all. */
  | { readonly do: 'collect-pipes'; readonly within: number };

type OrderOf<F> = F extends OrderedFault ? { readonly do: F['fault'] } & Omit<F, 'fault'> : never;
/**
 * A fault of the file, for the client or the master that carries it out.
 *
 * - `leave`: closes the listener and every accepted socket, what is queued there unread.
 * - `limit`: descriptors beside those that are open; those of messages are closed by then.
 * - `read`: answers `done` once `count` were read, or with `all` once the lane was found empty; or it has ended.
 */
export type FaultOrder = OrderOf<OrderedFault>;

export interface SystemErrorData {
  /** errno name, or the name of an error that has none. */
  readonly code: string;
  readonly message: string;
  readonly syscall?: string;
}

/** One delivery, packed: see `Unpacker` of runner/trace. */
export type PackedDelivery = readonly [
  lane: Lane,
  position: number,
  t: Time,
  /** A fence's own number where FLAG_FENCE is set. */
  message: number | null,
  flags: number,
  sequence: number | null,
  from: Address,
  length: number,
  credentials: readonly [pid: number, uid: number, gid: number] | null,
  fds: number,
  lost: number,
];
/** `t1` null: it waits for room; told again when it has returned. */
export type PackedSend = readonly [message: number, t0: Time, t1: Time | null, error: string | null];

export type AgentReport =
  | { readonly say: 'ready'; readonly pid: number; readonly pidNamespace: string }
  | { readonly say: 'done'; readonly id: number; readonly t: Time; readonly result?: OrderResult }
  | { readonly say: 'failed'; readonly id: number; readonly t: Time; readonly error: SystemErrorData }
  | { readonly say: 'deliveries'; readonly list: readonly PackedDelivery[] }
  | { readonly say: 'sends'; readonly list: readonly PackedSend[] }
  | { readonly say: 'dbus'; readonly list: readonly DbusReport[] }
  | {
      readonly say: 'pipe';
      readonly message: number;
      /** Its place among the message's descriptors. */
      readonly index: number;
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

/** A message that a client of a message bus has sent, or got. */
export type DbusReport = DbusSent | DbusGot;

export interface DbusSent {
  readonly kind: 'sent';
  readonly serial: number;
  readonly t: Time;
  /** The call of the system that failed. */
  readonly error?: string;
}

export interface DbusGot {
  readonly kind: 'got';
  /** Place among the messages that this client got, from 0. */
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
  /** `argsText` of its arguments. */
  readonly args: string;
  /** Those that are text, for messages of the bus itself. */
  readonly texts: readonly string[];
}

export interface OrderResult {
  readonly unique?: string;
  readonly address?: Address;
  readonly credentials?: Credentials;
  readonly blocked?: boolean;
  readonly message?: number;
  readonly ended?: boolean;
  /** Messages read by this order. */
  readonly read?: number;
}

export const FLAG_FENCE = 1;
export const FLAG_INTACT = 2;
export const FLAG_TRUNCATED = 4;
export const FLAG_CONTROL_TRUNCATED = 8;
