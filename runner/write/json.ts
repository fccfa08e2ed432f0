// SPDX-License-Identifier: MIT
/** The verdict for programs: `schemaVersion` changes when a key changes its meaning or goes away. */

import { neutralJson } from '../common/neutral.ts';
import type { CheckResult, Failure, Verdict } from '../verdict/verdict.ts';

/** One JSON document, keys always in the same order. */
export function writeJson(verdict: Verdict): string {
  return `${neutralJson(document(verdict), 2)}\n`;
}

/** The same value, for those who write several. Absent keys stay absent. */
export function document(verdict: Verdict): object {
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
