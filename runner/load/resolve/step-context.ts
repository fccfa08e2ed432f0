// SPDX-License-Identifier: MIT
import type { Path } from '../../common/diagnostic.ts';
import type { ParallelStep } from '../../topology/topology.ts';
import type { Deliveries } from './deliveries.ts';
import type { WrittenProgress } from './faults/progress.ts';
import type { PartyState } from './party-state.ts';
import type { Scope } from './scope.ts';

/** Checks a whole `parallel`; `before` is the state at its start. */
export type CheckParallel = (scope: Scope, before: PartyState, parallel: ParallelStep) => void;

/** What is needed to resolve a step. */
export interface StepContext {
  readonly scope: Scope;
  readonly parties: PartyState;
  readonly deliveries: Deliveries;
  readonly checkParallel: CheckParallel;
  /** The written `after` of the faults so far, by the id of the step. */
  readonly progress: Map<string, WrittenProgress>;
  readonly id: string;
  /** Path of the step. */
  readonly path: Path;
}
