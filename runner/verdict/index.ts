// SPDX-License-Identifier: MIT
/** Trace in, verdict out: what a run proves about the bus. Pure; linear in the deliveries but for one sort of the sends. */

import type { Plan } from '../plan/plan.ts';
import type { Trace } from '../trace/trace.ts';
import { blocked } from './blocked.ts';
import { budget } from './budget.ts';
import { nothingDelivered } from './delivered.ts';
import { errors } from './errors.ts';
import { collect } from './facts.ts';
import { integrity } from './integrity.ts';
import { kernel } from './kernel.ts';
import { lifetime } from './lifetime.ts';
import { order } from './order.ts';
import { recipients } from './recipients.ts';
import type { Judgement } from './verdict.ts';

/** Checks a run against its plan. */
export function judge(plan: Plan, trace: Trace): Judgement {
  const facts = collect(plan, trace);
  const ofTheBus = [
    recipients(facts),
    integrity(facts),
    errors(facts),
    ...order(facts),
    blocked(facts),
    lifetime(facts),
    budget(facts),
  ].filter((check) => check !== undefined);
  const idle = ofTheBus.every((check) => check.result === 'skip');
  const checks = [...ofTheBus, kernel(facts, idle)];
  const has = (result: string) => checks.some((c) => c.result === result);
  if (has('fail')) return { result: 'fail', checks };
  const reason = nothingDelivered(facts);
  return reason === undefined ? { result: 'pass', checks } : { result: 'skip', reason, checks };
}
