// SPDX-License-Identifier: MIT
/**
 * Compares two plays of one plan: for each message for which the model allows only one outcome, its errno or its
 * receivers must be equal, whatever the order of the branches. Only traces are compared, so that a difference shows
 * even if the checks have a fault.
 */

import type { Plan, PlannedMessage } from '../plan/plan.ts';
import { type FaultAction, readingEffect, subjectOf } from '../topology/faults.ts';
import { type Lane, parseLane, partyOf } from '../topology/lane.ts';
import { faults } from '../topology/steps.ts';
import type { Trace } from '../trace/trace.ts';

export interface Difference {
  readonly message: string;
  readonly step: string;
  readonly one: string;
  readonly other: string;
}

/** The first message for which they differ. */
export function compare(plan: Plan, one: Trace, other: Trace): Difference | undefined {
  const orderDependent = orderDependentParties(plan);
  const [ones, others] = [outcomes(one, orderDependent), outcomes(other, orderDependent)];
  for (const message of plan.messages) {
    const [a, b] = [ones.get(message.number), others.get(message.number)];
    // The checks judge a sender that was ended in the call, or before it.
    if (a === undefined || b === undefined || a === b || !isSettled(message)) continue;
    return { message: message.name, step: message.step, one: a, other: b };
  }
  return undefined;
}

const isSettled = ({ expected }: PlannedMessage): boolean =>
  !expected.or?.length && !(expected.kind === 'delivered' && expected.may?.length);

/**
 * Clients and masters whose reading depends on time: eavesdroppers, which may miss copies, and those that are ended.
 */
function orderDependentParties({ topology: { clients, steps } }: Plan): ReadonlySet<string> {
  const watching = clients.filter((c) => c.eavesdrop).map((c) => c.name);
  const about = [...faults(steps)].map(({ action }) => action).filter(dependsOnOrder);
  return new Set([...watching, ...about.map((action) => partyOf(subjectOf(action)))]);
}

const dependsOnOrder = (action: FaultAction): boolean =>
  action.fault === 'eavesdrop' || readingEffect(action) === 'ends';

/** Message whose send returned → its errno, or who got it. */
function outcomes(trace: Trace, orderDependent: ReadonlySet<string>): Map<number, string> {
  const got = new Map<number, Lane[]>();
  for (const [lane, deliveries] of trace.deliveries) {
    if (orderDependent.has(parseLane(lane).agent)) continue;
    for (const { message, fence } of deliveries) {
      if (!fence && message !== null) got.set(message, [...(got.get(message) ?? []), lane]);
    }
  }
  const returned = trace.sends.filter(({ t1 }) => t1 !== undefined);
  return new Map(
    returned.map(({ message, error }) => [
      message,
      error ?? `to ${got.get(message)?.sort().join(', ') ?? 'nobody'}`,
    ]),
  );
}
