// SPDX-License-Identifier: MIT
/**
 * Judges a trace: what the run proves about the bus. Pure; linear in the number of deliveries, except for one sort of
 * the sends.
 */

import type { Plan } from '../plan/plan.ts';
import type { Where } from '../provision/where.ts';
import type { Trace } from '../trace/trace.ts';
import { account } from './account.ts';
import { blocked } from './blocked.ts';
import { budget } from './budget.ts';
import { contradicted } from './contradicted.ts';
import { nothingDelivered } from './delivered.ts';
import { EARLY_END } from './early-end.ts';
import { errors } from './errors.ts';
import { collect } from './facts.ts';
import { integrity } from './integrity.ts';
import { kernel, SIMULATED, UNUSED } from './kernel.ts';
import { lifetime } from './lifetime.ts';
import { messageBuses } from './message-bus/index.ts';
import { order } from './order.ts';
import { faultsMissed } from './overlap.ts';
import { recipients } from './recipients.ts';
import type { Judgement } from './verdict.ts';

/** The verdict on a run that was cut; undefined unless something that it shows is wrong by itself. */
export function judgeCut(plan: Plan, trace: Trace, where: Where): Judgement | undefined {
  const judged = judge(plan, trace, where);
  const failures = judged.checks.flatMap((check) => (check.result === 'fail' ? check.failures : []));
  return failures.some(({ kind }) => !EARLY_END.includes(kind)) ? judged : undefined;
}

/** Checks a run against its plan. `where` decides whether its times and its kernel's log can prove anything. */
export function judge(plan: Plan, trace: Trace, where?: Pick<Where, 'backend' | 'accelerator'>): Judgement {
  const facts = collect(plan, trace);
  const simulated = where?.backend === 'sim';
  const ofSockets = () => [
    recipients(facts),
    integrity(facts),
    errors(facts),
    ...order(facts, simulated),
    blocked(facts),
    lifetime(facts),
    budget(facts, where),
  ];
  const all = [...(plan.topology.buses.length > 0 ? ofSockets() : []), ...messageBuses(plan, trace)];
  const ofTheBus = all.filter((check) => check !== undefined);
  const idle = ofTheBus.every((check) => check.result === 'skip');
  const checks = [...ofTheBus, kernel(facts, simulated ? SIMULATED : idle ? UNUSED : undefined)];
  const has = (result: string) => checks.some((c) => c.result === result);
  const judged = { checks, account: account(facts) };
  if (has('fail')) return { result: 'fail', ...judged };
  const reason = nothingDelivered(facts) ?? contradicted(facts) ?? faultsMissed(facts);
  return reason === undefined ? { result: 'pass', ...judged } : { result: 'skip', reason, ...judged };
}
