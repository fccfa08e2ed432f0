// SPDX-License-Identifier: MIT
/**
 * What an agent needs from the system under it: sockets, pipes, time. The classes of the binding implement these
 * interfaces, and so does a simulated system: the same agents run on both.
 */

import type { Address } from '../common/address.ts';
import type { Clock, Time } from '../common/clock.ts';
import type { Credentials } from '../common/credentials.ts';
import type { Filter } from '../common/filter.ts';
import type { DbusMessage, ReceivedMessage } from '../dbus/index.ts';
import type { BusLimits } from '../topology/message-bus.ts';
import type { Overflow, Protocol } from '../topology/topology.ts';
import type { ServiceOrder } from './protocol.ts';

export interface System {
  readonly clock: Clock;
  /** The clock that all agents of a run share, in ns. */
  now(): Time;
  /** Resolves when every event that is pending for this process was served. */
  settled(): Promise<void>;
  connect(path: string, options: ConnectOptions): Promise<ClientSocket>;
  /** Binds and listens. Processes of every user may connect. */
  listen(options: ListenOptions): Promise<Listener>;
  /** Runs our D-Bus daemon; resolves when clients can connect. */
  serveDbus(options: DaemonOptions): Promise<void>;
  /** Resolves when the D-Bus daemon can start a service at `at`; the first time that it does, calls `then`. */
  startable(at: string, then: () => void): Promise<void>;
  /** Joins a message bus: over AF_BUS, or through the daemon's AF_UNIX listener. */
  joinDbus(path: string, connect: 'native' | 'legacy'): Promise<DbusConnection>;
  /** Starts a program in a group of processes of its own. Absent if the system has none: a simulated one. */
  start?(
    argv: readonly [string, ...string[]],
    env: Readonly<Record<string, string>>,
    heard: ProgramListener,
  ): Promise<RunningProgram>;
  /** Makes `count` pipes. */
  pipes(count: number): Promise<readonly PipeEnds[]>;
  /** Throws EPIPE if nobody holds the other end any more. */
  write(fd: number, text: string): void;
  close(fd: number): void;
  /** From now on this process may open that many more descriptors. */
  limitDescriptors(more: number | 'unlimited'): void;
}

export interface DaemonOptions {
  readonly path: string;
  readonly unixPath: string;
  readonly limits: BusLimits;
  readonly services: readonly ServiceOrder[];
}

export interface ProgramListener {
  output(bytes: Buffer): void;
  errors(bytes: Buffer): void;
}

export interface RunningProgram {
  /**
   * Resolves when the program has ended and all that it wrote was heard. What it has left in its group is killed then.
   */
  readonly ended: Promise<{ readonly exit: number | null; readonly signal: string | null }>;
  /** SIGKILL to it and to its group; nothing if it has ended. */
  kill(): void;
}

/** A client's connection to a message bus: authenticated, but before Hello. */
export interface DbusConnection {
  /** The caller keeps the descriptors, and keeps them open until the message is sent. */
  send(message: DbusDraft, serial: number, options?: { readonly fds: readonly FdNumber[] }): Promise<void>;
  /** The messages in the order of the bus, until the connection ends. */
  messages(): AsyncIterable<DbusGiven>;
}

interface FdNumber {
  readonly fd: number;
}

/** A descriptor that came with a message; the receiver of the message must close it. */
export interface GivenFd extends FdNumber {
  close(): void;
}

export interface DbusGiven extends ReceivedMessage {
  readonly fds: readonly GivenFd[];
}

/** A message without the fields that the connection fills in. */
export type DbusDraft = Omit<DbusMessage, 'endian' | 'sender' | 'unixFds'>;

export interface ConnectOptions {
  /** Shortens or drops received messages, from the first on. */
  readonly filter?: Filter;
  readonly protocol: Protocol;
  readonly passCredentials: boolean;
  readonly passSequence: boolean;
}

export interface ListenOptions {
  readonly path: string;
  readonly protocol: Protocol;
  readonly overflow: Overflow;
  readonly queueLength?: number;
  readonly sendBuffer?: number;
}

export interface PipeEnds {
  readonly writer: number;
  /** Reads the other end until all writers are closed. */
  read(onText: (text: string) => void, onEnd: () => void): void;
}

/** A destination, parsed. */
export interface Destination {
  readonly prefix: number;
  readonly client: number;
}

export interface SendOptions {
  /** Absent: a client sends to its master, an accepted socket to its client. */
  readonly to?: Destination;
  readonly fds?: readonly number[];
  readonly nonblocking?: boolean;
}

export interface ReadOptions {
  readonly max: number;
  /** Bytes of each message; the kernel cuts longer ones, and says so. */
  readonly maxBytes?: number;
  /** Of the run: a batch may come in columns if all of its messages are whole and have this nonce. */
  readonly nonce: number;
}

/** As much of an AbortSignal as a read needs. */
export interface Interrupt {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options: { readonly once: true }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface ReceiveOptions extends ReadOptions {
  readonly signal: Interrupt;
  /** Gets each batch in columns; the receive then goes on, and ends with another batch, the end or an error. */
  readonly onColumns?: (columns: Columns) => void;
}

/** The parts of a received message that agents look at. */
export interface Message {
  readonly data: Buffer;
  readonly from: Address;
  readonly truncated: boolean;
  readonly controlTruncated: boolean;
  readonly fds: readonly GivenFd[];
  readonly credentials?: Credentials;
  readonly sequence?: number;
  readonly lost?: number;
}

/** Whole messages of this run that have nothing but a sequence number and credentials, in columns; see native/lib/columns.ts. */
export interface Columns {
  readonly count: number;
  readonly number: readonly number[];
  readonly sequence: readonly number[];
  readonly length: readonly number[];
  readonly kind: readonly number[];
  readonly kinds: readonly ColumnsKind[];
  readonly lastFence: number;
}

export interface ColumnsKind {
  readonly fence: boolean;
  readonly from: Address;
  readonly credentials: Credentials;
}

/** Messages that were read together. */
export type Batch = readonly Message[] | Columns;

export interface End {
  readonly why: 'eof' | 'hangup' | 'error' | 'closed';
  /** errno name, if `why` is `error`. */
  readonly code?: string;
}

/** A connected socket; see native/lib/socket.ts for what each member promises. */
export interface Socket {
  readonly closed: boolean;
  readonly atEnd: boolean;
  readonly blocked: boolean;
  readonly pendingSends: number;
  readonly ended: Promise<End>;
  send(data: Buffer, options?: SendOptions): Promise<void>;
  receive(options: ReceiveOptions): Promise<Batch>;
  /** The messages that are queued now, without waiting. */
  tryReceive(options: ReadOptions): Batch | Promise<Batch>;
  whenBlocked(blocked: boolean, options: { readonly signal: AbortSignal }): Promise<void>;
  close(): void;
}

export interface ClientSocket extends Socket {
  readonly address: Address;
}

/** The master's socket for one client, through which it sets the client's policy. */
export interface AcceptedSocket extends Socket {
  readonly peer: Address;
  readonly credentials: Credentials;
  passCredentials: boolean;
  passSequence: boolean;
  join(): void;
  addAddress(address: Address): void;
  deleteAddress(address: Address): void;
  setEavesdrop(on: boolean): void;
  /** Gives the client a D-Bus match rule. */
  addMatch(rule: string): void;
  /** Removes a rule that says the same. Throws ENOENT if there is none. */
  removeMatch(rule: string): void;
  /** Makes the client the owner of this well-known D-Bus name; a former owner loses it. */
  setName(name: string): void;
  expel(): void;
}

export interface Listener extends AsyncIterable<AcceptedSocket> {
  close(): void;
}
