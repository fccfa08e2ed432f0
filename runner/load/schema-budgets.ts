// SPDX-License-Identifier: MIT
/** The schema of budgets: limits of time, for the whole run or for one send. */
import { DURATION, RATE } from './scalars.ts';
import { map, text } from './schema-words.ts';

export const duration = text(DURATION, 'a duration', (input) =>
  /^\d+$/.test(String(input))
    ? `Durations carry units: ${input}ms, ${input}s.`
    : 'Units are us, ms, s and m: 500ms.',
);
export const rate = text(RATE, 'a rate', (input) => {
  if (/^[0.]+(\/|$)/.test(String(input))) return 'A rate is more than 0: 1/m.';
  return /^\d+$/.test(String(input)) ? `Rates carry a unit: ${input}/s.` : 'Write 2000/s.';
});

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
