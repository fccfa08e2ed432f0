// SPDX-License-Identifier: MIT
/** All that a node agent needs of the machine under it: its kernel's word, and processes. */

import type { Signal } from '../topology/faults.ts';
import type { KernelRecord } from './kernel-log.ts';
import type { AgentOrder, NodeOrder, NodeReport } from './protocol.ts';

export type Spawn = Extract<NodeOrder, { do: 'spawn' }>;

export interface Machine {
  /** The node agent's own. */
  readonly pid: number;
  kernel(): string;
  bus(): Extract<NodeReport, { say: 'hello' }>['bus'];
  /** AF_BUS sockets that exist in this network namespace; null where the kernel does not say. */
  socketsLeft(): number | null;
  /** From now on; null where it may not be read. */
  openKernelLog(): { take(): readonly KernelRecord[] } | null;
  /** Starts an agent, whose reports go upstream. */
  start(order: Spawn): AgentProcess;
}

/** An agent as its node agent sees it. */
export interface AgentProcess {
  readonly name: string;
  /** Resolves when the process has ended and everything it said was passed on. */
  readonly closed: Promise<void>;
  tell(order: AgentOrder): void;
  /** Tells it, and resolves with whether it was carried out. */
  ask(order: AgentOrder): Promise<boolean>;
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
