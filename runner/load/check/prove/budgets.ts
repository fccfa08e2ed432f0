// SPDX-License-Identifier: MIT
/** Budgets that no run can exceed, and budgets for which nothing is measured. */
import type { Path } from '../../../common/diagnostic.ts';
import { canFail } from '../../../topology/budgets.ts';
import type { Budget, Topology } from '../../../topology/topology.ts';
import type { Places } from '../places.ts';

export function checkBudgets({ problems, paths }: Places, topology: Topology): void {
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
    }
  }
}

const keysOf = (figure: Budget['figure']): Path =>
  figure === 'throughput' ? ['throughput', 'min'] : ['latency', figure];
