// SPDX-License-Identifier: MIT
/** Where a simulated kernel can be made to err: each hook stands at one place of a sound one. */

import type { Message } from '../agent/system.ts';
import type { Credentials } from '../common/credentials.ts';
import type { ReceivedMessage } from '../dbus/index.ts';
import type { Bus, Endpoint, Outcome, Passing } from '../model/index.ts';
import type { CheckName } from '../verdict/verdict.ts';
import type { Datagram, Kernel } from './kernel.ts';
import type { SimSocket } from './socket.ts';

/** A try of a send. */
export interface Attempt {
  readonly kernel: Kernel;
  readonly socket: SimSocket;
  readonly datagram: Datagram;
  readonly nonblocking: boolean;
  /** What a sound kernel does. */
  readonly go: () => Outcome;
}

export interface Hooks {
  send?(attempt: Attempt): Outcome;
  /** Keeps a copy out of a queue; the send goes on. */
  drops?(passing: Passing): boolean;
  /** What a reader gets in the place of a message. */
  read?(message: Message, at: SimSocket): readonly Message[];
  /** In the place of expelling; false where it is done as it should. */
  expels?(accepted: Endpoint): boolean;
  /** SO_PEERCRED */
  peer?(credentials: Credentials, accepted: Endpoint): Credentials;
  /** The client part of the address that the next client gets; undefined for the one after the last. */
  address?(bus: Bus): number | undefined;
  /** What a client of a message bus gets in the place of a message. */
  dbus?(message: ReceivedMessage, at: object): readonly ReceivedMessage[];
  /** A closed socket stays in memory. */
  leaks?(endpoint: Endpoint): boolean;
}

/** A fault to be had on purpose, and the check that exists to see it. */
export interface Bug {
  readonly does: string;
  readonly check: CheckName;
  readonly hooks: (strikes: Strikes) => Hooks;
}

/**
 * Asked at every opportunity whether it is to be taken. Each socket, endpoint or bus has a count of its own: what one reader
 * sees is the same in every schedule, who sees something first is not.
 */
export type Strikes = (at: object) => boolean;
