// SPDX-License-Identifier: MIT
/** Turns `latency` and `throughput` into limits that the run is checked against. */

import type { Path } from '../../common/diagnostic.ts';
import { duration, rate } from '../../common/scalars.ts';
import type { Budget } from '../../topology/topology.ts';
import type { Scope, WrittenBudgets } from './scope.ts';

/** The limits written at `path`; with a step, they apply to that send only. */
export function budgetsOf(
  { tree, problems }: Scope,
  written: WrittenBudgets | undefined,
  path: Path,
  step?: string,
): Budget[] {
  if (written === undefined) return [];
  const { latency, throughput } = written;
  const of = (...keys: string[]) => ({
    ...(step === undefined ? {} : { step }),
    place: tree.place([...path, ...keys]),
  });
  const limits = (['p50', 'p90', 'p99', 'max'] as const).flatMap((figure): Budget[] => {
    const limit = latency?.[figure];
    return limit === undefined ? [] : [{ figure, limit: duration(limit), ...of('latency', figure) }];
  });
  if (latency !== undefined && limits.length === 0) {
    const message = 'this budget has no limit';
    problems.error([...path, 'latency'], {
      code: 'missing-key',
      message,
      hint: 'Write { p99: 50ms }.',
      onKey: true,
    });
  }
  limits.forEach((each, n) => {
    const lower = limits[n - 1];
    if (lower === undefined || each.limit >= lower.limit) return;
    const message = `${lower.figure} never exceeds ${each.figure}: because of this limit, the one for ${lower.figure} has no effect`;
    problems.warning([...path, 'latency', each.figure], { code: 'impossible', message });
  });
  if (throughput === undefined) return limits;
  return [...limits, { figure: 'throughput', limit: rate(throughput.min), ...of('throughput', 'min') }];
}
