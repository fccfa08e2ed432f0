// SPDX-License-Identifier: MIT
/** The verdict for programs. `schemaVersion` changes if a key changes its meaning or is removed. */

import { neutralJson } from '../common/neutral.ts';
import type { CheckResult, Failure, Verdict } from '../verdict/verdict.ts';
import { isUnplayed, type Report } from './unplayed.ts';

/** One document for any number of reports: an object for one, a list for several. The order of keys is fixed. */
export function writeJson(...reports: readonly Report[]): string {
  const all = reports.map(asData);
  return `${neutralJson(all.length === 1 ? all[0] : all, 2)}\n`;
}

/** One line per report. */
export const writeJsonLines = (reports: readonly Report[]): string =>
  reports.map((report) => `${neutralJson(asData(report))}\n`).join('');

const asData = (report: Report): object => (isUnplayed(report) ? report : document(report));

/** Leaves out keys whose value is absent. */
function document(verdict: Verdict): object {
  const {
    schemaVersion,
    result,
    reason,
    topology,
    file,
    run,
    seed,
    where,
    counts,
    timings,
    checks,
    account,
    warnings,
  } = verdict;
  const { backend, launcher, kernel, accelerator, engine } = where;
  return {
    ...{
      schemaVersion,
      result,
      simulated: where.backend === 'sim' || undefined,
      reason,
      topology,
      file,
      run,
      seed,
    },
    where: { backend, launcher, kernel, accelerator, engine },
    counts: {
      sends: counts.sends,
      deliveries: counts.deliveries,
      clients: counts.clients,
      nodes: counts.nodes,
    },
    timings,
    checks: checks.map(checkDocument),
    account,
    warnings,
  };
}

const checkDocument = ({
  name,
  result,
  reason,
  checked,
  unit,
  failed,
  notes,
  failures,
}: CheckResult): object => ({
  ...{ name, result, reason, checked, unit, failed, notes },
  failures: failures.map(failureDocument),
});

const failureDocument = (failure: Failure): object => {
  const { check, kind, summary, expected, observed, step, place, message, detail, alike } = failure;
  return { check, kind, summary, expected, observed, step, place, message, detail, alike };
};
