// SPDX-License-Identifier: MIT
/** Verdicts to be written. */

import { judge } from '../../../runner/verdict/index.ts';
import type { CheckResult, Failure, Verdict } from '../../../runner/verdict/verdict.ts';
import { baseRun, got, indexIn, logOf, swapIn, unnumber } from '../verdict/helpers/base-run.ts';
import { renumber } from '../verdict/helpers/make-run.ts';
import type { Run } from '../verdict/helpers/story.ts';

export function verdictOf(run: Run, more: Partial<Verdict> = {}): Verdict {
  const { result, checks } = judge(run.plan, run.trace);
  return {
    schemaVersion: 1,
    result,
    topology: 'test',
    file: 'test.topo.yaml',
    run: 'q7f3a',
    seed: 42,
    where: {
      backend: 'vm',
      launcher: 'container',
      kernel: '6.12.57',
      accelerator: 'tcg',
      engine: 'Docker 26.1.5',
    },
    checks,
    counts: { sends: run.trace.sends.length, deliveries: 28, clients: 8, nodes: 3 },
    timings: { nodes: 1.5, traffic: 0.75 },
    ...more,
  };
}

export const passed = (): Verdict => verdictOf(baseRun());

/** One lane disagrees, one copy is lost, one address and one errno are wrong, and the kernel warns. */
export function brokenRun(): Run {
  const run = baseRun();
  unnumber(run);
  swapIn(run, 'r2', 'a#2', 'c#1');
  logOf(run, 'r3').splice(indexIn(run, 'r3', 'a#3'), 1);
  renumber(logOf(run, 'r3'));
  got(run, 'r1', 'c#2').from = '0000/000000000001';
  const denied = run.trace.sends.find((s) => s.error !== undefined);
  if (denied) denied.error = 'EPIPE';
  run.trace.kernel.push(
    { level: 4, text: 'WARNING: CPU: 0 PID: 7 at net/bus/send.c:10' },
    { level: 4, text: ' Call Trace:' },
  );
  return run;
}

/** Only what was damaged: that the run has no numbers is a failure of each of its copies. */
export function failed(): Verdict {
  const verdict = verdictOf(brokenRun());
  return { ...verdict, checks: verdict.checks.map(withoutNumberless) };
}

function withoutNumberless(check: CheckResult): CheckResult {
  const failures = check.failures.filter(({ kind }) => kind !== 'no-number');
  const dropped = check.failures.filter(({ kind }) => kind === 'no-number');
  return { ...check, failures, failed: dropped.reduce((left, { alike }) => left - alike, check.failed) };
}

export const broke = (): Verdict => ({
  ...passed(),
  result: 'error',
  checks: [],
  reason: 'the host died: Kernel panic - not syncing',
});

/** A failure of which only this matters. */
export function failing(failures: readonly Partial<Failure>[], more: Partial<CheckResult> = {}): Verdict {
  const full = failures.map(
    (f): Failure => ({
      ...{
        check: 'recipients',
        kind: 'lost',
        summary: 'b did not get m',
        expected: 'b',
        observed: 'nobody',
        alike: 1,
      },
      ...f,
    }),
  );
  const check: CheckResult = {
    name: 'recipients',
    result: 'fail',
    checked: 9,
    unit: 'copies',
    failed: full.length,
    failures: full,
  };
  return { ...passed(), result: 'fail', checks: [{ ...check, ...more }] };
}
