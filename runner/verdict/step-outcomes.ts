// SPDX-License-Identifier: MIT
/** Checks steps about waits and ends of sockets: their outcomes were recorded when they were played. */
import type { Visit } from '../topology/steps.ts';
import type { StepEvent } from '../trace/trace.ts';
import type { Facts } from './facts.ts';
import { aboutStep } from './failure-text.ts';
import type { Findings } from './findings.ts';

/** Reports steps that failed, and those of `asked` that were not played. */
export function judgeSteps(
  facts: Facts,
  findings: Findings,
  check: NonNullable<StepEvent['failure']>['check'],
  asked: readonly Visit[],
): void {
  for (const { step, failure } of facts.trace.steps) {
    if (failure?.check !== check) continue;
    const { expected, observed } = failure;
    findings.add('step', step, () => ({
      summary: `the expectation of step ${step} did not hold`,
      expected,
      observed,
      ...aboutStep(facts, step),
    }));
  }
  const played = new Set(facts.trace.steps.map(({ step }) => step));
  for (const { step } of asked) if (!played.has(step.id)) unplayed(facts, findings, step.id);
}

/** A step without a recorded outcome proves nothing, and must not pass. */
function unplayed(facts: Facts, findings: Findings, id: string): void {
  if (facts.trace.cut !== undefined) return;
  findings.add('unplayed', id, () => ({
    summary: `step ${id} was not played`,
    expected: 'an outcome',
    observed: 'none was recorded',
    ...aboutStep(facts, id),
  }));
}
