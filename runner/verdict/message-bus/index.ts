// SPDX-License-Identifier: MIT
/** The checks of message buses; none if the file has no such bus. */
import type { Plan } from '../../plan/plan.ts';
import type { Trace } from '../../trace/trace.ts';
import type { CheckResult } from '../verdict.ts';

import { busFacts } from './facts.ts';
import { fds } from './fds.ts';
import { lifetime } from './lifetime.ts';
import { names } from './names.ts';
import { order } from './order.ts';
import { programs } from './programs.ts';
import { replies } from './replies.ts';
import { signals } from './signals.ts';

export function messageBuses(plan: Plan, trace: Trace): CheckResult[] {
  if (plan.operations === undefined) return [];
  const facts = busFacts(plan, trace);
  return [
    signals(facts),
    replies(facts),
    names(facts),
    order(facts),
    ...lifetime(facts),
    ...fds(facts),
    ...programs(facts),
  ];
}
