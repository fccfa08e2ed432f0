// SPDX-License-Identifier: MIT
/** `blocked`: sends that had to wait did wait, and continued when they could. */

import { plural } from '../common/text.ts';
import type { PlannedMessage } from '../plan/plan.ts';
import { idleWaits } from '../predict/index.ts';
import { endsInTime } from '../topology/budgets.ts';
import { partyOf } from '../topology/lane.ts';
import type { BlockedStep } from '../topology/topology.ts';
import { type Facts, outcomeOf, topOf } from './facts.ts';
import { about, clock } from './failure-text.ts';
import { Findings } from './findings.ts';
import { judgeSteps } from './step-outcomes.ts';
import { endsAt } from './steps.ts';
import type { CheckResult } from './verdict.ts';

/** Checks the steps about waiting, and sends that still wait at the end. */
export function blocked(facts: Facts): CheckResult {
  const findings = new Findings('blocked', ['never-returned', 'step', 'unplayed']);
  const idle = idleWaits(facts.plan.prediction, facts.plan.topology);
  const steps = [...facts.steps.values()].filter(({ step }) => step.kind === 'blocked');
  const asked = steps.filter(({ step }) => !idle.has(step.id) && endsInTime(step as BlockedStep));
  judgeSteps(facts, findings, 'blocked', asked);
  neverReturned(facts, findings);
  const none = steps.length > 0 ? 'no step about a wait can fail' : 'no step says that a sender must wait';
  const nothing = asked.length === 0 ? none : undefined;
  return findings.result(asked.length, plural(asked.length, 'wait'), nothing);
}

function neverReturned(facts: Facts, findings: Findings): void {
  const stuck = new Set(facts.trace.readOut?.stuck);
  for (const { message: number, agent, t0 } of facts.trace.sends) {
    const message = facts.plan.messages[number];
    if (!message || outcomeOf(facts, number) !== 'pending' || endedIn(facts, agent, message)) continue;
    if (facts.trace.cut !== undefined && !stuck.has(number)) continue;
    findings.add('never-returned', message.step, () => ({
      summary: `the send of ${message.name} never returned`,
      expected: `${partyOf(message.from)} goes on when there is room, or an error`,
      observed: `still in the call that began at ${clock(facts, t0)} when the run ended`,
      ...about(message),
    }));
  }
}

/** Whether the sender ended in the call. Nothing else excuses it: at the end of a run, all that is left is read. */
const endedIn = (facts: Facts, agent: string, message: PlannedMessage): boolean =>
  facts.crashed.has(agent) || topOf(facts, message) >= endsAt(agent, facts.steps.values());
