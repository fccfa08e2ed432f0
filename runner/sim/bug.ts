// SPDX-License-Identifier: MIT
/** Places at which a simulated kernel can be made to err: each hook stands for one place in a correct one. */

import type { Message } from '../agent/system.ts';
import type { Credentials } from '../common/credentials.ts';
import type { ReceivedMessage } from '../dbus/index.ts';
import type { Bus, Endpoint, Outcome, Passing } from '../model/index.ts';
import type { CheckName } from '../verdict/verdict.ts';
import type { WriteEnd } from './files.ts';
import type { Datagram, Kernel } from './kernel.ts';
import type { SimSocket } from './socket.ts';

/** One attempt of a send. */
export interface Attempt {
  readonly kernel: Kernel;
  readonly socket: SimSocket;
  readonly datagram: Datagram;
  readonly nonblocking: boolean;
  /** What a correct kernel does. */
  readonly go: () => Outcome;
}

export interface Hooks {
  send?(attempt: Attempt): Outcome;
  /** Keeps a copy out of a queue; the send itself goes on. */
  drops?(passing: Passing): boolean;
  /** What a reader gets instead of a message. */
  read?(message: Message, at: SimSocket): readonly Message[];
  /** Replaces expelling; false to expel as usual. */
  expels?(accepted: Endpoint): boolean;
  /** Whether the other end of a socket does not learn that it was closed. */
  hidesClose?(closed: Endpoint): boolean;
  /** Result of SO_PEERCRED. */
  peer?(credentials: Credentials, accepted: Endpoint): Credentials;
  /** Client part of the next client's address; undefined for the one after the last. */
  address?(bus: Bus): number | undefined;
  /** What a client of a message bus gets instead of a message. */
  dbus?(message: DbusCopy, at: object): readonly DbusCopy[];
  /** Whether a message bus keeps a client that sleeps and has no room. */
  keepsSleeper?(at: object): boolean;
  /** Whether a message bus forgets what waits for a client that it cuts off. */
  forgetsSleeper?(at: object): boolean;
  /** Whether a message bus does not start a service that somebody needs. */
  forgetsStart?(at: object): boolean;
  /** Whether a closed socket stays in memory. */
  leaks?(endpoint: Endpoint): boolean;
}

/** A message for a client of a message bus, with what its descriptors lead to. */
export interface DbusCopy extends ReceivedMessage {
  readonly fds: readonly WriteEnd[];
}

/** A bug, and the check that exists to find it. */
export interface Bug {
  readonly does: string;
  readonly check: CheckName;
  readonly hooks: (strikes: Strikes) => Hooks;
}

/**
 * Called at every opportunity; returns whether to err. Each socket, endpoint or bus has its own count: what one reader
 * sees is the same in every schedule, but which reader sees something first is not.
 */
export type Strikes = (at: object) => boolean;
