// SPDX-License-Identifier: MIT
/** What a node agent needs from the machine under it: facts about the kernel, and processes. */

import type { Time } from '../common/clock.ts';
import type { Signal } from '../topology/faults.ts';
import type { KernelRecord } from './kernel-log.ts';
import type { AddressedOrder, AgentOrder, NodeOrder, NodeReport } from './protocol.ts';

export type Spawn = Extract<NodeOrder, { do: 'spawn' }>;

export interface Machine {
  /** Pid of the node agent. */
  readonly pid: number;
  /** The time on the clock that all agents of a run share. */
  now(): Time;
  kernel(): string;
  bus(): Extract<NodeReport, { say: 'hello' }>['bus'];
  /** Number of AF_BUS sockets in this network namespace; null if the kernel does not say. */
  socketsLeft(): number | null;
  /** Reads the kernel's log from now on; null if this process may not read it. */
  openKernelLog(): { take(): readonly KernelRecord[] } | null;
  /** Starts an agent, whose reports go upstream; returns the same process for agents that share one. */
  start(order: Spawn): AgentProcess;
}

/** A process of one or more agents as its node agent sees it. */
export interface AgentProcess {
  /** Resolves when the process has ended and everything that it said was passed on. */
  readonly closed: Promise<void>;
  tell(agents: readonly string[], order: AgentOrder): void;
  /** Carries out one order after the other, and stops at the first that fails. */
  tellInTurn(orders: readonly AddressedOrder[]): void;
  /** The same; resolves with whether all succeeded. */
  inTurn(orders: readonly AddressedOrder[]): Promise<boolean>;
  /** Resolves when the signal has taken effect, or the process has ended. */
  signal(signal: Signal): Promise<void>;
  /**
   * Lets the process use that many more bytes of memory. Resolves when the process has ended; throws if no limit can be
   * set.
   */
  limitMemory(bytes: number): Promise<void>;
}

/** The connection from a node agent to the runner. */
export interface ToRunner {
  say(report: NodeReport): void;
  /** Sends this report as the last one. */
  sayLast(report: NodeReport): Promise<void>;
}
