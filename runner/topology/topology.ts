// SPDX-License-Identifier: MIT
/**
 * The resolved topology: what a `*.topo.yaml` says, with short forms expanded, replicas made, addresses assigned and
 * names checked (docs/topology.md). `load` makes it and freezes it; everything later reads it.
 */

import type { Address } from '../common/address.ts';
import type { Filter } from '../common/filter.ts';
import type { DbusMessage } from '../dbus/index.ts';
import type { FaultAction } from './faults.ts';
import type { DbusStep, MessageBuses } from './message-bus.ts';
import type { ProgramStep } from './program.ts';

/** A place in a YAML file; `line` and `column` count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type Protocol = 'none' | 'dbus';
export type Overflow = 'block' | 'fail' | 'evict';

export interface NodeSpec {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** Absent for a node that was generated because the file names none. */
  readonly place?: Place;
}

export interface DenyRule {
  readonly uid?: number;
  readonly gid?: number;
}

export interface MasterSpec {
  readonly node: string;
  /** Patterns of client names (`*` is a wildcard); a client that matches none is not admitted. */
  readonly admit: readonly string[];
  readonly deny: readonly DenyRule[];
}

export interface BusSpec {
  readonly name: string;
  /** A pathname, or `@name` for an abstract name. */
  readonly path: string;
  readonly protocol: Protocol;
  /** Maximum number of messages; the kernel's default if absent. */
  readonly queueLength?: number;
  /** In bytes; the kernel's default if absent. */
  readonly sendBuffer?: number;
  readonly overflow: Overflow;
  readonly master: MasterSpec;
  readonly place: Place;
}

export interface GroupSpec {
  readonly name: string;
  readonly bus: string;
  /** 1 … 0xffff */
  readonly prefix: number;
  readonly place: Place;
}

export interface User {
  readonly uid: number;
  readonly gid: number;
}

export interface ClientSpec {
  /** Unique; replicas are `name-0`, `name-1` … */
  readonly name: string;
  readonly bus: string;
  readonly node: string;
  readonly user: User;
  readonly groups: readonly string[];
  /** Every address that the master assigns, in the order of assignment; those of its groups are included. */
  readonly addresses: readonly Address[];
  /** Whether the file wants it to join (`join`, default true). */
  readonly join: boolean;
  /**
   * Whether the master's policy admits it: some `admit` pattern matches and no `deny` rule does. It joins if `join` is
   * set as well.
   */
  readonly admitted: boolean;
  readonly eavesdrop: boolean;
  /** `manual`: reads only when a `read` step says so. */
  readonly receive: 'auto' | 'manual';
  /** How its socket shortens or drops messages. */
  readonly filter?: Filter;
  /** Bytes that it reads of each message at most; absent if it reads messages whole. */
  readonly buffer?: number;
  /** D-Bus match rules that the master gives it when it connects; absent if there are none. */
  readonly match?: readonly string[];
  /** D-Bus names that it owns, each with an address of prefix 0x0001 in `addresses`; absent if there are none. */
  readonly names?: readonly string[];
  /** A `restart` starts it. `camera.2` is the successor of `camera`. */
  readonly startedByStep?: boolean;
  readonly place: Place;
}

/**
 * The sender: a client, or the master of a bus. `via` is the client through whose accepted socket the master sends;
 * send steps always have it.
 */
export type Sender =
  | { readonly kind: 'client'; readonly name: string }
  | { readonly kind: 'master'; readonly bus: string; readonly via?: string };

export type Destination =
  | { readonly kind: 'client'; readonly name: string }
  | { readonly kind: 'group'; readonly name: string }
  /** Every joined client of the bus: 0000/ffffffffffff. */
  | { readonly kind: 'bus'; readonly name: string }
  | { readonly kind: 'master'; readonly bus: string }
  | { readonly kind: 'address'; readonly address: Address };

/**
 * Passes the write end of a pipe. Each receiver writes a token into it; the sender must read all tokens, then end of
 * file.
 */
export interface FdSpec {
  readonly kind: 'pipe';
  readonly name: string;
}

export interface SendExpect {
  /** `expect: model`: the file leaves everything to the model on purpose. */
  readonly model?: true;
  /** Every message of the step must fail with this error and reach nobody. */
  readonly error?: string;
  /**
   * Exactly these receive one copy of each message: names of clients, or `<bus>.master` for the lane at which the
   * default route of the sender ends. Absent if `error` is present.
   */
  readonly recipients?: readonly string[];
}

export interface SendStep {
  readonly kind: 'send';
  /** `3`, or `4.b2.1` inside a parallel step; unique. */
  readonly id: string;
  readonly from: Sender;
  readonly to: Destination;
  readonly count: number;
  /** The body; absent if `size` asks for generated bytes, or `dbus` is the whole message. */
  readonly payload?: Uint8Array;
  /** The message is this D-Bus message, with the envelope as its last argument. */
  readonly dbus?: DbusMessage;
  /** Length of the whole message in bytes, including the envelope; drawn for each message between these, inclusive. */
  readonly size?: { readonly min: number; readonly max: number };
  /** Messages per second; as fast as possible if absent. */
  readonly rate?: number;
  readonly fds: readonly FdSpec[];
  /** The send fails with EAGAIN instead of waiting for a full recipient. */
  readonly nonblocking: boolean;
  /** The name that `expect.deliveries` uses. */
  readonly as?: string;
  readonly expect: SendExpect;
  readonly place: Place;
}

export interface ParallelStep {
  readonly kind: 'parallel';
  readonly id: string;
  /** Each branch plays its steps in order; the branches play at the same time. */
  readonly branches: readonly (readonly Step[])[];
  readonly place: Place;
}

export interface FaultStep {
  readonly kind: 'fault';
  readonly id: string;
  readonly action: FaultAction;
  /** Delay from the start of the step, in ms. */
  readonly at?: number;
  readonly after?: Progress;
  readonly place: Place;
}

/** When a fault is injected: after that many messages of concurrent sends have returned, with success or an error. */
export interface Progress {
  readonly messages: number;
  /** Ids of the send steps that count; they are in other branches of the same `parallel`. */
  readonly sends: readonly string[];
}

/** `expect: { client, blocked, within }`: within that time the client has (or has not) a send that waits for room. */
export interface BlockedStep {
  readonly kind: 'blocked';
  readonly id: string;
  readonly client: string;
  readonly blocked: boolean;
  /** In ms. */
  readonly within: number;
  readonly place: Place;
}

/**
 * `expect: { client, hangup: true, within }`: its socket ends, since it is expelled, or was never admitted and the
 * master leaves.
 */
export interface HangupStep {
  readonly kind: 'hangup';
  readonly id: string;
  readonly client: string;
  /** In ms. */
  readonly within: number;
  readonly place: Place;
}

export type Step = SendStep | ParallelStep | FaultStep | BlockedStep | HangupStep | DbusStep | ProgramStep;

/** One line of `expect.deliveries`; it is checked in addition to the expectations of the steps. */
export interface DeliveryExpect {
  readonly to: string;
  /** The `as` of a send step. */
  readonly message: string;
  readonly from?: string;
  readonly fds?: number;
  readonly credentials?: { readonly uid?: number; readonly gid?: number };
  readonly place: Place;
}

/** A limit of latency or throughput, for the whole run or for one send step. */
export interface Budget {
  readonly figure: 'p50' | 'p90' | 'p99' | 'max' | 'throughput';
  /** Latency: at most that many ms. Throughput: at least that many messages per second. */
  readonly limit: number;
  /** Id of the step; absent for the whole run. */
  readonly step?: string;
  readonly place: Place;
}

/** How nodes are made if the command line does not say; and how many clients share a process. */
export interface LauncherSpec {
  readonly kind: 'container' | 'process';
  readonly pack?: number;
}

export interface Topology {
  readonly name: string;
  readonly description?: string;
  readonly file: string;
  /** Variable → value, for one combination of a matrix; it is also the end of `name`. */
  readonly combination?: Readonly<Record<string, string>>;
  readonly nodes: readonly NodeSpec[];
  readonly buses: readonly BusSpec[];
  readonly groups: readonly GroupSpec[];
  readonly clients: readonly ClientSpec[];
  /** Buses whose master is the D-Bus daemon; absent if the file has none. */
  readonly messageBuses?: MessageBuses;
  readonly steps: readonly Step[];
  readonly deliveries: readonly DeliveryExpect[];
  readonly budgets: readonly Budget[];
  readonly launcher?: LauncherSpec;
}
