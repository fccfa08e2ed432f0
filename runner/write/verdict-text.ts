// SPDX-License-Identifier: MIT
/** Parts of the text of a verdict that several reports use. */

import { count } from '../common/text.ts';
import type { Where } from '../provision/where.ts';
import type { CheckResult, Failure, Verdict } from '../verdict/verdict.ts';

const LAUNCHERS = { container: 'containers', process: 'processes' } as const;

/** Where the run took place, as every report begins. */
export function whereOf({ backend, launcher, kernel, accelerator, engine, bug }: Where): string {
  if (backend === 'sim') {
    const broken = bug === undefined ? '' : ` · broken on purpose: ${bug}`;
    return `sim · the reference model in this process, no kernel${broken}`;
  }
  const parts = [backend, LAUNCHERS[launcher], `Linux ${kernel}`];
  if (accelerator) parts.push(accelerator.toUpperCase());
  if (engine) parts.push(engine);
  return parts.join(' · ');
}

/** `file:line:column`, as far as known. */
export const placeOf = ({ place }: Pick<Failure, 'place'>): string =>
  place ? `${place.file}:${place.line}:${place.column}` : '';

/** Number of a check's failures that are not shown. */
export const unshown = (check: CheckResult): number =>
  check.failed - check.failures.reduce((sum, f) => sum + f.alike, 0);

/** What happened that no check counts as wrong, and what checks say that they have not judged. */
export const remarksOf = ({ account = [], checks }: Verdict): readonly string[] => [
  ...account,
  ...checks.flatMap(({ name, notes = [] }) => notes.map((note) => `${name}: ${note}`)),
];

/** Every failure of a verdict, check by check. */
export const failuresOf = (verdict: Verdict): readonly Failure[] => verdict.checks.flatMap((c) => c.failures);

/** `PASS`; for a simulated run `PASS (simulated)`, since it proves nothing about a kernel. */
export const resultWord = ({ result, where }: Verdict): string =>
  `${result.toUpperCase()}${where.backend === 'sim' && result === 'pass' ? ' (simulated)' : ''}`;

/** Total time of all stages, in seconds. */
export const secondsOf = (verdict: Verdict): number =>
  Object.values(verdict.timings).reduce((sum, s) => sum + s, 0);

/** The result in one sentence without its first word. */
export function inWords(verdict: Verdict): string {
  const { checks, counts, reason } = verdict;
  const of = (result: string) => checks.filter((c) => c.result === result);
  const [held, failed, skipped] = [of('pass'), of('fail'), of('skip')];
  const size = `${count(counts.sends, 'send')}, ${count(counts.deliveries, 'delivery', 'deliveries')}`;
  const parties = `${count(counts.clients, 'client')} on ${count(counts.nodes, 'node')}`;
  const unchecked = skipped.length > 0 ? `, ${skipped.length} had nothing to check` : '';
  const warned = verdict.warnings?.length ? `, ${count(verdict.warnings.length, 'warning')}` : '';
  switch (verdict.result) {
    case 'pass':
      return `${count(held.length, 'check')} held${unchecked}${warned}; ${size}, ${parties}`;
    case 'fail': {
      const wrong = failed.reduce((sum, c) => sum + c.failed, 0);
      const names = failed.map((c) => c.name).join(', ');
      return `${failed.length} of ${count(checks.length, 'check')} broke (${names}), ${count(wrong, 'failure')}; ${size}, ${parties}`;
    }
    default:
      return (
        reason ?? (verdict.result === 'skip' ? 'no check had anything to check' : 'the environment broke')
      );
  }
}

/** A failure as plain lines: expected, observed, then the proof. */
export function plainLines(failure: Failure): string[] {
  const place = placeOf(failure);
  return [
    ...(place ? [`at ${place}${failure.step ? ` (step ${failure.step})` : ''}`] : []),
    `expected: ${failure.expected}`,
    `observed: ${failure.observed}`,
    ...(failure.detail ?? []),
    ...(failure.alike > 1 ? [`and ${failure.alike - 1} more like it`] : []),
  ];
}
