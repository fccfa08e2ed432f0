// SPDX-License-Identifier: MIT
/** All that a node agent needs of the machine under it: its kernel's word, and processes. */

import type { Time } from '../common/clock.ts';
import type { Signal } from '../topology/faults.ts';
import type { KernelRecord } from './kernel-log.ts';
import type { AgentOrder, NodeOrder, NodeReport, Told } from './protocol.ts';

export type Spawn = Extract<NodeOrder, { do: 'spawn' }>;

export interface Machine {
  /** The node agent's own. */
  readonly pid: number;
  /** By the clock that all agents of a run share. */
  now(): Time;
  kernel(): string;
  bus(): Extract<NodeReport, { say: 'hello' }>['bus'];
  /** AF_BUS sockets that exist in this network namespace; null where the kernel does not say. */
  socketsLeft(): number | null;
  /** From now on; null where it may not be read. */
  openKernelLog(): { take(): readonly KernelRecord[] } | null;
  /** Starts an agent, whose reports go upstream; gives the same process for agents that share one. */
  start(order: Spawn): AgentProcess;
}

/** A process of one or more agents as its node agent sees it. */
export interface AgentProcess {
  /** Resolves when the process has ended and everything it said was passed on. */
  readonly closed: Promise<void>;
  tell(agents: readonly string[], order: AgentOrder): void;
  /** Each after the one before it was carried out, none after one that failed; resolves with whether all were. */
  inTurn(orders: readonly Told[]): Promise<boolean>;
  /** Resolves when the signal has taken effect, or the process has ended. */
  signal(signal: Signal): Promise<void>;
  /** Gives the process that many bytes more than it has. Resolves once it has ended; throws where there is no limit. */
  limitMemory(bytes: number): Promise<void>;
}

/** A node agent's line to the runner. */
export interface ToRunner {
  say(report: NodeReport): void;
  /** Says this last, then nothing more. */
  sayLast(report: NodeReport): Promise<void>;
}
