// SPDX-License-Identifier: MIT
/**
 * The resolved topology: what a `*.topo.yaml` says, with every short form spelled out, replicas expanded,
 * addresses assigned and names checked (docs/topology.md). Made by `load`, frozen, read by everyone after it.
 */

import type { Address } from '../common/address.ts';
import type { Filter } from '../common/filter.ts';
import type { DbusMessage } from '../dbus/index.ts';
import type { FaultAction } from './faults.ts';
import type { DbusStep, MessageBuses } from './message-bus.ts';

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
  /** Absent for a node that was made up because the file names none. */
  readonly place?: Place;
}

export interface DenyRule {
  readonly uid?: number;
  readonly gid?: number;
}

export interface MasterSpec {
  readonly node: string;
  /** Client name patterns (`*` as wildcard); a client that none matches is not admitted. */
  readonly admit: readonly string[];
  readonly deny: readonly DenyRule[];
}

export interface BusSpec {
  readonly name: string;
  /** Pathname, or `@name` for an abstract one. */
  readonly path: string;
  readonly protocol: Protocol;
  /** Messages; the kernel's default where absent. */
  readonly queueLength?: number;
  /** Bytes; the kernel's default where absent. */
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
  /** Every address that the master assigns, those that `groups` call for included, in assignment order. */
  readonly addresses: readonly Address[];
  /** The file wants it on the bus (`join`, default true). */
  readonly join: boolean;
  /** The master's policy admits it: some `admit` pattern matches and no `deny` rule does. Joined = join && admitted. */
  readonly admitted: boolean;
  readonly eavesdrop: boolean;
  /** `manual`: reads only when a `read` step says so. */
  readonly receive: 'auto' | 'manual';
  /** What its socket takes of each message: whole, shortened or not at all. */
  readonly filter?: Filter;
  /** D-Bus match rules that the master gives it when it comes; absent where there are none. */
  readonly match?: readonly string[];
  /** D-Bus names that it owns, each with an address in prefix 0x0001 among its `addresses`; absent where there are none. */
  readonly names?: readonly string[];
  /** Not there from the beginning: a `restart` starts it. `camera.2` is what `camera` became by one. */
  readonly startedByStep?: boolean;
  readonly place: Place;
}

/** Who sends: a client, or the master of a bus through the accepted socket of `via`, which every send step of a master has. */
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

/** Passes the write end of a pipe; each receiver writes a token into it, and the sender must read them all, then EOF. */
export interface FdSpec {
  readonly kind: 'pipe';
  readonly name: string;
}

export interface SendExpect {
  /** The file says on purpose that it leaves everything to the model: `expect: model`. */
  readonly model?: true;
  /** Every message of the step must fail with this errno name and reach nobody. */
  readonly error?: string;
  /**
   * Exactly these receive each message, one copy each: client names, and `<bus>.master` for the master's accepted
   * socket of the sender (where the default route ends). Absent when `error` is there.
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
  /** The body; absent where `size` asks for a generated one, and where the whole is `dbus`. */
  readonly payload?: Uint8Array;
  /** The message is this one of D-Bus, with the envelope as its last argument. */
  readonly dbus?: DbusMessage;
  /** Bytes of the whole message, envelope included; drawn per message between the two, both included. */
  readonly size?: { readonly min: number; readonly max: number };
  /** Messages per second; as fast as they go where absent. */
  readonly rate?: number;
  readonly fds: readonly FdSpec[];
  /** A full recipient is EAGAIN rather than a wait. */
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
  /** ms from the beginning of the step. */
  readonly at?: number;
  readonly after?: Progress;
  readonly place: Place;
}

/** How far the sends beside a fault have come when it is injected: that many of their messages have returned, with success or an error. */
export interface Progress {
  readonly messages: number;
  /** Ids of the send steps that count: in other branches of the same `parallel`. */
  readonly sends: readonly string[];
}

/** `expect: { client, blocked, within }`: the client has (or has not) a send that waits for room, by then. */
export interface BlockedStep {
  readonly kind: 'blocked';
  readonly id: string;
  readonly client: string;
  readonly blocked: boolean;
  /** ms */
  readonly within: number;
  readonly place: Place;
}

/** `expect: { client, hangup: true, within }`: its socket has ended (expelled, or never admitted and the master left). */
export interface HangupStep {
  readonly kind: 'hangup';
  readonly id: string;
  readonly client: string;
  /** ms */
  readonly within: number;
  readonly place: Place;
}

export type Step = SendStep | ParallelStep | FaultStep | BlockedStep | HangupStep | DbusStep;

/** One written line of `expect.deliveries`; checked beside the steps' own expectations. */
export interface DeliveryExpect {
  readonly to: string;
  /** A step's `as`. */
  readonly message: string;
  readonly from?: string;
  readonly fds?: number;
  readonly credentials?: { readonly uid?: number; readonly gid?: number };
  readonly place: Place;
}

/** A limit of time, of the whole run or of one send step. */
export interface Budget {
  readonly figure: 'p50' | 'p90' | 'p99' | 'max' | 'throughput';
  /** ms at most for a latency, messages a second at least for throughput. */
  readonly limit: number;
  /** Its id; absent for the whole run. */
  readonly step?: string;
  readonly place: Place;
}

/** How nodes are made, where the command line does not say; and how many clients share a process. */
export interface LauncherSpec {
  readonly kind: 'container' | 'process';
  readonly pack?: number;
}

export interface Topology {
  readonly name: string;
  readonly description?: string;
  readonly file: string;
  /** Variable → value, for one of the combinations of a matrix; `name` ends in it. */
  readonly combination?: Readonly<Record<string, string>>;
  readonly nodes: readonly NodeSpec[];
  readonly buses: readonly BusSpec[];
  readonly groups: readonly GroupSpec[];
  readonly clients: readonly ClientSpec[];
  /** Buses whose master is our D-Bus daemon; absent if the file has none. */
  readonly messageBuses?: MessageBuses;
  readonly steps: readonly Step[];
  readonly deliveries: readonly DeliveryExpect[];
  readonly budgets: readonly Budget[];
  readonly launcher?: LauncherSpec;
}
