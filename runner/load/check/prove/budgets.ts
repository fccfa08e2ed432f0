// SPDX-License-Identifier: MIT
/** Budgets that no run can exceed, and budgets for which nothing is measured. */
import type { Path } from '../../../common/diagnostic.ts';
import { lanesOf, type Prediction } from '../../../predict/index.ts';
import { canFail } from '../../../topology/budgets.ts';
import { parseLane } from '../../../topology/lane.ts';
import { sends } from '../../../topology/steps.ts';
import type { Budget, Topology } from '../../../topology/topology.ts';
import type { Places } from '../places.ts';

export function checkBudgets({ problems, paths }: Places, prediction: Prediction, topology: Topology): void {
  for (const budget of topology.budgets) {
    const { figure, step } = budget;
    const path = [...(step === undefined ? [] : (paths.get(step) ?? [])), 'expect', ...keysOf(figure)];
    if (topology.buses.length === 0) {
      const message = 'nothing is measured on message buses, and this file has no other bus';
      problems.error(path, { code: 'impossible', message, hint: 'Remove the budget.' });
    } else if (!canFail(budget, topology)) {
      const hint =
        figure === 'throughput'
          ? 'Ask for more a second, or remove it.'
          : 'Write a limit below 2m, or remove it.';
      const message =
        'this budget cannot be exceeded: a run that is as slow as this is cut off after two minutes';
      problems.warning(path, { code: 'vacuous', message, hint });
    } else if (figure !== 'throughput' && !isMeasured(budget, prediction, topology)) {
      const message = 'this budget measures nothing: no message reaches a client that reads by itself';
      const hint = 'Send one to a client without receive: manual, or remove the budget.';
      problems.warning(path, { code: 'vacuous', message, hint });
    }
  }
}

/** Latency is taken of copies whose readers do not wait for a step; the master reads by itself. */
function isMeasured({ step }: Budget, prediction: Prediction, { clients, steps }: Topology): boolean {
  const manual = new Set(clients.filter(({ receive }) => receive === 'manual').map(({ name }) => name));
  const about = [...sends(steps)].filter(({ id }) => step === undefined || id === step);
  return about.some((send) =>
    [...lanesOf(prediction, send)].some((lane) => parseLane(lane).accepted || !manual.has(lane)),
  );
}

const keysOf = (figure: Budget['figure']): Path =>
  figure === 'throughput' ? ['throughput', 'min'] : ['latency', figure];
