// SPDX-License-Identifier: MIT
import { neutralJson } from '../common/neutral.ts';
import { plan as makePlan } from '../plan/index.ts';
import { overviewOf } from '../write/overview.ts';
import { renderPlan } from '../write/plan.ts';
import { topologiesIn } from './topology-in.ts';

interface PlanFlags {
  readonly set?: Readonly<Record<string, string>>;
  readonly format: 'text' | 'json';
  readonly seed: number;
  readonly why?: boolean;
}

/**
 * `plan`: shows what would be started and sent, and what must come of it. Starts nothing; one document per combination.
 */
export function plan(file: string, { set, format, seed, why = false }: PlanFlags): void {
  const overviews = topologiesIn(file, set).map((topology) => overviewOf(makePlan(topology, { seed })));
  const indent = overviews.length === 1 ? 2 : 0;
  const texts = overviews.map((each) =>
    format === 'json' ? `${neutralJson(each, indent)}\n` : renderPlan(each, { why }),
  );
  process.stdout.write(texts.join(format === 'json' ? '' : '\n'));
}
