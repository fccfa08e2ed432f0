// SPDX-License-Identifier: MIT
// Planted violations: exactly the right checks break, and name the message and the step.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { judge } from '../../../runner/verdict/index.ts';
import type { CheckName, CheckResult } from '../../../runner/verdict/verdict.ts';
import { baseRun } from './helpers/base-run.ts';
import { errorsMutants } from './mutants/errors.ts';
import { harmless } from './mutants/harmless.ts';
import { integrityMutants } from './mutants/integrity.ts';
import { kernelMutants } from './mutants/kernel.ts';
import { killedHarmless, killedMutants } from './mutants/killed.ts';
import { lifeMutants } from './mutants/life.ts';
import { recipientsMutants } from './mutants/recipients.ts';
import { sendersMutants } from './mutants/senders.ts';
import { totalMutants } from './mutants/total.ts';
import type { Mutant, Said } from './mutants.ts';

describe('verdict of a broken bus', () => {
  it('passes before anything is damaged', () => {
    const { plan, trace } = baseRun();
    const { checks } = judge(plan, trace);
    assert.deepEqual(failing(checks), []);
    assert.deepEqual(
      checks.filter((c) => c.result === 'skip').map((c) => c.name),
      ['blocked'],
    );
  });

  const groups = {
    recipients: recipientsMutants,
    integrity: integrityMutants,
    errors: errorsMutants,
    total: totalMutants,
    senders: sendersMutants,
    killed: killedMutants,
    life: lifeMutants,
    kernel: kernelMutants,
  };
  for (const [group, mutants] of Object.entries(groups)) {
    describe(group, () => {
      for (const mutant of mutants) it(mutant.name, () => judgeMutant(mutant));
    });
  }

  describe('what is no damage', () => {
    for (const mutant of [...harmless, ...killedHarmless]) it(mutant.name, () => judgeMutant(mutant));
  });
});

function judgeMutant({ run, breaks: planted }: Mutant): void {
  const { checks, result } = judge(run.plan, run.trace);
  // Without numbers the order has to be found by other means, and that they are missing is told as well.
  const isNumbered = [...run.trace.deliveries.values()].flat().some((d) => d.sequence !== undefined);
  const breaks = isNumbered ? planted : { ...planted, integrity: { kind: 'no-number' } };
  const said = checks.flatMap((c) => c.failures.map((f) => `${f.check} ${f.kind}: ${f.summary}`)).join('\n');
  assert.deepEqual(failing(checks), Object.keys(breaks).sort(), said);
  assert.equal(result, Object.keys(breaks).length > 0 ? 'fail' : 'pass');
  for (const [name, what] of Object.entries(breaks)) assertSaid(checks, name as CheckName, what);
}

const failing = (checks: readonly CheckResult[]): string[] =>
  checks
    .filter((c) => c.result === 'fail')
    .map((c) => c.name)
    .sort();

function assertSaid(checks: readonly CheckResult[], name: CheckName, said: Said): void {
  const failures = checks.find((c) => c.name === name)?.failures ?? [];
  const matches = failures.some(
    (f) =>
      f.kind === said.kind &&
      (said.message === undefined || f.message === said.message) &&
      (said.step === undefined || (f.step === said.step && f.place !== undefined)) &&
      (said.summary === undefined || said.summary.test(f.summary)) &&
      (said.detail === undefined || said.detail.test((f.detail ?? []).join('\n'))),
  );
  assert.ok(
    matches,
    `no failure of ${name} says ${JSON.stringify(said)} ${said.detail}:\n${JSON.stringify(failures, null, 2)}`,
  );
}
