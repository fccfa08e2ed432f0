// SPDX-License-Identifier: MIT
/**
 * Sends that succeeded, though their sender ended before it could say so. The messages of one step are sent one after
 * another, so a reader that has a later one proves that the earlier sends had returned.
 */

import type { PlannedMessage } from '../plan/plan.ts';
import { subjectOf } from '../topology/faults.ts';
import { partyOf } from '../topology/lane.ts';
import { faults } from '../topology/steps.ts';
import { type Facts, messageOf, outcomeOf } from './facts.ts';

/** Numbers of the messages whose sends are proved to have succeeded; of others it is not known. */
export function provenReturns(facts: Facts): ReadonlySet<number> {
  const proven = new Set<number>();
  const pending = facts.plan.messages.filter(({ number }) => outcomeOf(facts, number) === 'pending');
  if (pending.length === 0) return proven;
  const latest = latestOfSteps(facts);
  const starved = withoutMemory(facts);
  for (const message of pending) {
    const returned = message.number < (latest.get(message.step) ?? -1);
    if (returned && cannotFail(message) && !starved.has(partyOf(message.from))) proven.add(message.number);
  }
  return proven;
}

/** Step → the highest number of its messages that anybody got. */
function latestOfSteps(facts: Facts): Map<string, number> {
  const latest = new Map<string, number>();
  for (const lane of facts.lanes) {
    for (const delivery of lane.deliveries) {
      const message = messageOf(facts, delivery);
      if (message && message.number > (latest.get(message.step) ?? -1))
        latest.set(message.step, message.number);
    }
  }
  return latest;
}

const cannotFail = ({ expected }: PlannedMessage): boolean =>
  expected.kind === 'delivered' && expected.or === undefined && expected.contradictedBy === undefined;

/** Parties that a fault leaves too little memory: the kernel may refuse their last sends, which the model leaves out. */
function withoutMemory({ plan }: Facts): ReadonlySet<string> {
  const parties = new Set<string>();
  for (const { action } of faults(plan.topology.steps))
    if (action.fault === 'kill' && action.memory !== undefined) parties.add(partyOf(subjectOf(action)));
  return parties;
}
