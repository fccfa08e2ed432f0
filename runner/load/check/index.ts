// SPDX-License-Identifier: MIT
/** Checks of a topology as a whole, beyond what its parts mean, before anything boots. */
import type { Contradictions } from '../../predict/index.ts';
import type { Step } from '../../topology/topology.ts';
import type { Resolved, Scope } from '../resolve/index.ts';
import { checkExpectations } from './expectations.ts';
import { checkLimits } from './limits.ts';
import { checkMemory } from './memory.ts';
import { checkMessageBuses, checkUses } from './message-bus.ts';
import { proveWhole } from './prove/index.ts';
import { checkPatience, checkServices, checkStarted } from './services.ts';
import { checkSize } from './size.ts';
import { checkSleeps } from './sleeps.ts';
import { checkUnused } from './unused.ts';

export { checkConcurrentFaults as checkParallel } from './concurrent-faults.ts';

/** Reports errors and warnings; returns the expectations of the file that contradict the model. */
export function check({ scope, topology, deliveries }: Resolved): Contradictions {
  const { steps } = topology;
  const nothing: Contradictions = new Map();
  if (!checkSize(scope, steps)) return nothing;
  checkLimits(scope, steps);
  checkMemory(scope, topology);
  checkUnused(scope);
  const isWhole = !scope.problems.failed;
  const sure = sureSteps(scope, steps);
  if (sure.length === 0) return nothing;
  const certain = { ...topology, steps: sure };
  checkServices(scope, certain);
  const { contradictions, prediction } = checkExpectations(scope, certain, deliveries);
  const all = [...contradictions, ...checkMessageBuses(scope, certain)];
  if (isWhole) {
    proveWhole(scope, prediction, topology);
    checkUses(scope, topology);
    checkSleeps(scope, topology);
    checkStarted(scope, topology);
    checkPatience(scope, topology);
  }
  return new Map(all);
}

/** The steps before the first mistake: what the model says of them holds whatever the others turn out to be. */
function sureSteps({ problems }: Scope, steps: readonly Step[]): readonly Step[] {
  if (!problems.failed) return steps;
  const parties = ['nodes', 'buses', 'groups', 'clients', 'defaults'];
  if (parties.some((section) => problems.isBroken([section]))) return [];
  const wrong = steps.findIndex((_, n) => problems.isBroken(['traffic', n]));
  return wrong < 0 ? steps : steps.slice(0, wrong);
}
