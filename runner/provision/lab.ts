// SPDX-License-Identifier: MIT
/** A running lab: one connected node agent per node of the plan. What `run` needs to know of containers and hosts. */

import type { NodeOrder, NodeReport } from '../agent/protocol.ts';
import type { Clock } from '../common/clock.ts';
import type { Where } from './where.ts';

export interface NodeConnection {
  readonly name: string;
  /** The node agent's first line. */
  readonly hello: Extract<NodeReport, { say: 'hello' }>;
  tell(order: NodeOrder): void;
  /** Every report after `hello`, in order; there is one listener, set before the first order. */
  onReport(listener: (report: NodeReport) => void): void;
  /** Resolves when the stream ends, with the reason in one sentence. */
  readonly closed: Promise<string>;
  /** Lets go of the stream; a node agent that was not told to `detach` ends. */
  release(): void;
}

export interface Lab {
  /** Run id: names containers, volumes, labels and files of this run. */
  readonly run: string;
  readonly where: Where;
  /** The runner's waits are measured by it. */
  readonly clock: Clock;
  readonly nodes: ReadonlyMap<string, NodeConnection>;
  /** Rejects with HostDied or EnvironmentError when what the lab stands on breaks; never resolves. */
  readonly broken: Promise<never>;
}
