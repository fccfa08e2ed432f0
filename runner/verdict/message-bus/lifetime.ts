// SPDX-License-Identifier: MIT
/**
 * `dbus.lifetime`: the bus has cut off the clients that were paused for too long, and the run lasted to its last step.
 */
import { plural } from '../../common/text.ts';
import { flat } from '../../topology/steps.ts';
import { addEarlyEnd, EARLY_END } from '../early-end.ts';
import { Findings } from '../findings.ts';
import type { CheckResult } from '../verdict.ts';

import type { BusFacts } from './facts.ts';

export function lifetime({ plan, trace, cut }: BusFacts): CheckResult[] {
  const steps = [...flat(plan.topology.steps)].filter(
    (step) => step.kind === 'dbus' && step.action.do === 'hangup',
  );
  const findings = new Findings('dbus.lifetime', [...EARLY_END, 'unended', 'unplayed']);
  // Beside other buses, `lifetime` tells of it.
  if (plan.topology.buses.length === 0) addEarlyEnd(findings, trace);
  if (steps.length === 0 && !findings.any) return [];
  const played = new Map(trace.steps.map((event) => [event.step, event]));
  let checked = 0;
  for (const { id, place } of steps) {
    const event = played.get(id);
    if (event !== undefined) checked++;
    if (event === undefined ? cut : event.failure === undefined) continue;
    const { expected, observed } = event?.failure ?? { expected: 'it is played', observed: 'it was not' };
    const summary = event ? 'the bus did not cut a client off' : 'a step was not played';
    findings.add(event ? 'unended' : 'unplayed', id, () => ({
      summary,
      expected,
      observed,
      step: id,
      place,
    }));
  }
  const reason = checked === 0 ? 'the run ended before it' : undefined;
  return [findings.result(checked, plural(checked, 'end of a connection', 'ends of connections'), reason)];
}
