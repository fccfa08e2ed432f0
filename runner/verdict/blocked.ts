// SPDX-License-Identifier: MIT
/** `blocked`: sends that must wait did wait, and went on when they could. */

import { idleWaits } from '../predict/index.ts';
import { endsInTime } from '../topology/budgets.ts';
import { partyOf } from '../topology/lane.ts';
import type { BlockedStep } from '../topology/topology.ts';
import { type Facts, outcomeOf } from './facts.ts';
import { Findings } from './findings.ts';
import { endsAt } from './steps.ts';
import type { CheckResult } from './verdict.ts';
import { about, aboutStep, clock, plural } from './words.ts';

/** Judges the steps about waiting, and sends that wait still at the end. */
export function blocked(facts: Facts): CheckResult {
  const findings = new Findings('blocked', ['never-returned', 'step', 'unplayed']);
  const played = new Set(facts.trace.steps.map((s) => s.step));
  const idle = idleWaits(facts.plan.prediction, facts.plan.topology);
  const steps = [...facts.steps.values()].filter(({ step }) => step.kind === 'blocked');
  const asked = steps.filter(({ step }) => !idle.has(step.id) && endsInTime(step as BlockedStep));
  for (const { step, failure } of facts.trace.steps) {
    if (failure?.check !== 'blocked') continue;
    const { expected, observed } = failure;
    findings.add('step', step, () => ({
      summary: `step ${step} did not hold`,
      expected,
      observed,
      ...aboutStep(facts, step),
    }));
  }
  for (const { step } of asked) {
    if (!played.has(step.id)) unplayed(facts, findings, step.id);
  }
  neverReturned(facts, findings);
  const none = steps.length > 0 ? 'no step about a wait can fail' : 'no step says that a sender must wait';
  const nothing = asked.length === 0 ? none : undefined;
  return findings.result(asked.length, plural(asked.length, 'wait'), nothing);
}

/** A step whose outcome nobody recorded proves nothing, and must not pass. */
export function unplayed(facts: Facts, findings: Findings, id: string): void {
  if (facts.trace.cut !== undefined) return;
  findings.add('unplayed', id, () => ({
    summary: `step ${id} was not played`,
    expected: 'an outcome',
    observed: 'none was recorded',
    ...aboutStep(facts, id),
  }));
}

function neverReturned(facts: Facts, findings: Findings): void {
  const stuck = new Set(facts.trace.readOut?.stuck);
  for (const { message: number, agent, t0 } of facts.trace.sends) {
    const message = facts.plan.messages[number];
    if (!message || outcomeOf(facts, number) !== 'pending' || excused(facts, agent)) continue;
    if (facts.trace.cut !== undefined && !stuck.has(number)) continue;
    findings.add('never-returned', message.step, () => ({
      summary: `the send of ${message.name} never returned`,
      expected: `${partyOf(message.from)} goes on when there is room, or an error`,
      observed: `still in the call that began at ${clock(facts, t0)} when the run ended`,
      ...about(message),
    }));
  }
}

/** The sender crashed or was ended in the call, or the file's last word is that it waits. */
function excused(facts: Facts, agent: string): boolean {
  if (facts.crashed.has(agent) || endsAt(agent, facts.steps.values()) !== Infinity) return true;
  let last = false;
  for (const { step } of facts.steps.values())
    if (step.kind === 'blocked' && step.client === agent) last = step.blocked;
  return last;
}
