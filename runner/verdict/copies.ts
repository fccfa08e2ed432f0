// SPDX-License-Identifier: MIT
/** Failures of `recipients` about single copies. */

import type { PlannedMessage } from '../plan/plan.ts';
import type { DeliveryEvent } from '../trace/trace.ts';
import { busOf, expectedLanes, type Facts, type LaneFacts } from './facts.ts';
import { about, list, neighbours, observedLanes, reasons } from './failure-text.ts';
import type { Findings } from './findings.ts';

/** Compares the lanes that must get a message with those that got it. */
export const compare = (facts: Facts, message: PlannedMessage) => ({
  expected: list(expectedLanes(message)),
  observed: list(observedLanes(facts, message)),
  ...about(message),
});

/** A recipient did not get the message. */
export function addLost(facts: Facts, findings: Findings, lane: LaneFacts, message: PlannedMessage): void {
  findings.add('lost', message.step, () => ({
    summary: `${lane.name} did not get ${message.name}`,
    ...compare(facts, message),
    detail: [neighbours(facts, lane, message), ...reasons(message)],
  }));
}

/** A recipient got the message again. */
export function addDuplicate(
  facts: Facts,
  findings: Findings,
  lane: LaneFacts,
  message: PlannedMessage,
): void {
  const positions = () =>
    [...lane.deliveries].filter((d) => !d.fence && d.message === message.number).map((d) => d.position);
  findings.add('duplicated', message.step, () => ({
    summary: `${lane.name} got ${message.name} more than once`,
    ...compare(facts, message),
    detail: [`at positions ${positions().join(', ')} of ${lane.name}`],
  }));
}

/** A party that is no recipient got the message. */
export function addExtra(facts: Facts, findings: Findings, lane: LaneFacts, message: PlannedMessage): void {
  findings.add('extra', message.step, () => ({
    summary: `${lane.name} got ${message.name}, which was not for it`,
    ...compare(facts, message),
    detail: [whyExtra(facts, lane, message), ...reasons(message)],
  }));
}

function whyExtra(facts: Facts, lane: LaneFacts, message: PlannedMessage): string {
  const bus = busOf(facts, message);
  if (lane.bus !== bus) return `${message.name} is on bus ${bus}, ${lane.name} on bus ${lane.bus}`;
  const client = facts.clients.get(lane.client);
  if (!lane.accepted && client && !(client.join && client.admitted))
    return `${lane.name} has not joined bus ${bus}`;
  return `${lane.name} is not among its recipients`;
}

/** A message came that this run did not send. */
export function addInvented(
  facts: Facts,
  findings: Findings,
  lane: LaneFacts,
  d: DeliveryEvent,
  message?: PlannedMessage,
): void {
  findings.add('invented', message?.step, () => ({
    summary: message
      ? `${lane.name} got ${message.name}, which nobody had sent`
      : `${lane.name} got a message that is not of this run`,
    expected: 'only messages that this run sent',
    observed: `${d.length} bytes from ${d.from} at ${lane.name} position ${d.position}`,
    ...(message ? about(message) : {}),
    detail: [
      d.message === null
        ? 'it carries no envelope of this run'
        : `its number is ${d.message} of ${facts.plan.messages.length}`,
    ],
  }));
}
