// SPDX-License-Identifier: MIT
/** The schema of budgets: limits of time, for the whole run or for one send. */

import { map } from './blocks.ts';
import { duration, rate } from './values.ts';

const limit = duration.optional();

export const budgets = {
  latency: map(
    { p50: limit, p90: limit, p99: limit, max: limit },
    'a map of limits',
    'Write { p99: 50ms }.',
  ).optional(),
  throughput: map({ min: rate }, 'a map', 'Write { min: 1000/s }.').optional(),
};

export interface WrittenBudgets {
  readonly latency?: Readonly<Record<string, string | undefined>> | undefined;
  readonly throughput?: { readonly min: string } | undefined;
}
