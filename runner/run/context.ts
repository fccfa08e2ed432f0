// SPDX-License-Identifier: MIT
/** What the parts of a run share. */

import type { Clock } from '../common/clock.ts';
import type { Plan } from '../plan/plan.ts';
import type { Collector } from '../trace/collect.ts';
import type { Agents } from './agents.ts';
import type { Parties } from './parties.ts';
import type { LastMessages } from './progress.ts';

export interface RunContext {
  readonly plan: Plan;
  readonly agents: Agents;
  readonly parties: Parties;
  readonly collector: Collector;
  readonly clock: Clock;
  /** Send step → number of its messages that are reported at once. */
  readonly prompt: ReadonlyMap<string, number>;
  readonly lastMessages: LastMessages;
  /** Marks the messages of this run, so that those of other runs are not mistaken for them. */
  readonly nonce: number;
}
