// SPDX-License-Identifier: MIT
import type { Path } from '../../common/diagnostic.ts';
import type { ParallelStep } from '../../topology/topology.ts';
import type { Deliveries } from './deliveries.ts';
import type { WrittenProgress } from './faults/progress.ts';
import type { PartyState } from './party-state.ts';
import type { Scope } from './scope.ts';

/** Looks at a `parallel` as a whole; `before` is the state at its start. */
export type CheckParallel = (scope: Scope, before: PartyState, parallel: ParallelStep) => void;

/** What a step is resolved with. */
export interface StepContext {
  readonly scope: Scope;
  readonly parties: PartyState;
  readonly deliveries: Deliveries;
  readonly checkParallel: CheckParallel;
  /** `after:` of the faults so far, by the id of the step. */
  readonly progress: Map<string, WrittenProgress>;
  readonly id: string;
  /** Of the step. */
  readonly path: Path;
}
