// SPDX-License-Identifier: MIT
/**
 * What a file can prove, decided from the prediction before anything boots. It reports sends, expectations and faults
 * of which a passing run proves nothing. One file per kind.
 */
import { type Datagrams, type Prediction, predict } from '../../../predict/index.ts';
import type { Topology } from '../../../topology/topology.ts';
import type { Scope } from '../../resolve/index.ts';
import { checkBudgets } from './budgets.ts';
import { checkFaultsMet } from './faults.ts';
import { checkFilters } from './filters.ts';
import { checkLimitsHit } from './limits.ts';
import { checkNonblocking } from './nonblocking.ts';
import { checkOutcomes } from './outcomes.ts';
import { checkOverflow } from './overflow.ts';
import { checkPlacing } from './placing.ts';
import { checkRules } from './rules.ts';
import { checkSelves } from './selves.ts';
import { checkTraffic } from './traffic.ts';
import { checkUnjudged } from './unjudged.ts';
import { checkUnread } from './unread.ts';
import { checkWaits } from './waits.ts';

export function prove(scope: Scope, prediction: Prediction, topology: Topology, datagrams: Datagrams): void {
  checkUnjudged(scope, prediction, topology);
  checkOutcomes(scope, prediction, topology);
  checkSelves(scope, prediction, topology);
  checkLimitsHit(scope, prediction, topology);
  checkWaits(scope, prediction, topology);
  // The checks below report what none of the steps does, so all steps must be valid.
  if (scope.problems.failed) return;
  checkFilters(scope, prediction, topology, datagrams);
  checkNonblocking(scope, prediction, topology);
  checkOverflow(scope, topology, (other) => predict(other, datagrams));
}

/** The checks that need all steps, because they report what none of the steps does. */
export function proveWhole(scope: Scope, prediction: Prediction, topology: Topology): void {
  checkBudgets(scope, prediction, topology);
  checkFaultsMet(scope, prediction, topology);
  checkPlacing(scope, topology);
  checkUnread(scope, prediction, topology);
  checkRules(scope, topology);
  checkTraffic(scope, topology);
}
