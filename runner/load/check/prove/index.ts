// SPDX-License-Identifier: MIT
/**
 * What a file can prove, decided from the prediction before anything boots: sends, expectations and faults from which
 * a passing run proves nothing. One file a kind.
 */
import { type Datagrams, type Prediction, predict } from '../../../predict/index.ts';
import type { Topology } from '../../../topology/topology.ts';
import type { Scope } from '../../resolve/index.ts';
import { checkBudgets } from './budgets.ts';
import { checkFaultsMet } from './faults.ts';
import { checkFilters } from './filters.ts';
import { checkLimitsHit } from './limits.ts';
import { checkOutcomes } from './outcomes.ts';
import { checkOverflow } from './overflow.ts';
import { checkRules } from './rules.ts';
import { checkSelves } from './selves.ts';
import { checkTraffic } from './traffic.ts';
import { checkWaits } from './waits.ts';

export function prove(scope: Scope, prediction: Prediction, topology: Topology, datagrams: Datagrams): void {
  checkOutcomes(scope, prediction, topology);
  checkSelves(scope, prediction, topology);
  checkLimitsHit(scope, prediction, topology);
  checkWaits(scope, prediction, topology);
  // These say that none of the steps does something.
  if (scope.problems.failed) return;
  checkFilters(scope, prediction, topology, datagrams);
  checkOverflow(scope, topology, (other) => predict(other, datagrams));
}

/** Checks that need all steps: they say that none of the steps does something. */
export function proveWhole(scope: Scope, topology: Topology): void {
  checkBudgets(scope, topology);
  checkFaultsMet(scope, topology);
  checkRules(scope, topology);
  checkTraffic(scope, topology);
}
