// SPDX-License-Identifier: MIT
/** The checks of message buses; none if the file has no such bus. */
import type { Plan } from '../../plan/plan.ts';
import type { Trace } from '../../trace/trace.ts';
import { otherwise } from '../failure-text.ts';
import type { CheckResult, Failure } from '../verdict.ts';
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
  const results = [
    signals(facts),
    replies(facts),
    names(facts),
    order(facts),
    ...lifetime(facts),
    ...fds(facts),
    ...programs(facts),
  ];
  return results.map((result) => ({
    ...result,
    failures: result.failures.map((each) => withContradiction(plan, each)),
  }));
}

/** Says why the model contradicts the step of a failure, if it does. */
function withContradiction({ contradictions }: Plan, failure: Failure): Failure {
  const why = contradictions.get(failure.step ?? '');
  return why === undefined ? failure : { ...failure, detail: [...(failure.detail ?? []), otherwise(why)] };
}
