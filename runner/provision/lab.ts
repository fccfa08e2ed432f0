// SPDX-License-Identifier: MIT
/**
 * A running lab: one connected node agent per node of the plan. It is all that `run` needs to know of containers and
 * hosts.
 */

import type { NodeOrder, NodeReport } from '../agent/protocol.ts';
import type { Clock } from '../common/clock.ts';
import type { Where } from './where.ts';

export interface NodeConnection {
  readonly name: string;
  /** First line of the node agent. */
  readonly hello: Extract<NodeReport, { say: 'hello' }>;
  tell(order: NodeOrder): void;
  /** Every report after `hello`, in order; there is one listener, set before the first order. */
  onReport(listener: (report: NodeReport) => void): void;
  /** Resolves with the reason, in one sentence, when the stream has ended. */
  readonly closed: Promise<string>;
  /** Closes the stream; a node agent that was not told to `detach` ends. */
  release(): void;
}

export interface Lab {
  /** Id of the run: part of the names of its containers, volumes and files, and a label on them. */
  readonly run: string;
  readonly where: Where;
  /** The clock of the runner's waits. */
  readonly clock: Clock;
  readonly nodes: ReadonlyMap<string, NodeConnection>;
  /** Rejects with HostDied or EnvironmentError if what the lab needs breaks; never resolves. */
  readonly broken: Promise<never>;
}
