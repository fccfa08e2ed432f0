// SPDX-License-Identifier: MIT
/** Parts of the text of a failure that several checks use: names, places, reasons, what was observed, times. */

import type { PlannedMessage } from '../plan/plan.ts';
import type { Lane } from '../topology/lane.ts';
import { partyOf } from '../topology/lane.ts';
import { allowedLanes, expectedLanes, type Facts, type LaneFacts } from './facts.ts';
import type { FailureText } from './findings.ts';

/** `a, b, c`, or `nobody`. */
export const list = (names: readonly string[]): string => (names.length === 0 ? 'nobody' : names.join(', '));

const NAMED = 6;

/** The first few, and how many more. */
export const some = (names: readonly string[]): string =>
  names.length <= NAMED
    ? list(names)
    : `${names.slice(0, NAMED).join(', ')} and ${names.length - NAMED} more`;

/** The place of a failure about a message. */
export function about(message: PlannedMessage): Pick<FailureText, 'step' | 'place' | 'message'> {
  return { step: message.step, place: message.place, message: message.name };
}

/** The place of a failure about a step without a message, and why the model contradicts the step. */
export function aboutStep(facts: Facts, id: string): Pick<FailureText, 'step' | 'place' | 'detail'> {
  const place = facts.steps.get(id)?.step.place;
  const contradiction = facts.plan.contradictions.get(id);
  return {
    step: id,
    ...(place && { place }),
    ...(contradiction !== undefined && { detail: [otherwise(contradiction)] }),
  };
}

/** Why it is expected, if the model says so; and which other outcomes are right. */
export function reasons(message: PlannedMessage): string[] {
  const { because, contradictedBy, or = [] } = message.expected;
  const may = allowedLanes(message);
  return [
    ...(because === undefined ? [] : [`the model expects this, because ${because}`]),
    ...(contradictedBy === undefined ? [] : [otherwise(contradictedBy)]),
    ...(may.length === 0 ? [] : [`right with or without: ${list(may)}`]),
    ...(or.length === 0 ? [] : [`right as well: ${list(or)}`]),
  ];
}

/** For expectations of the file that the model contradicts. */
export const otherwise = (why: string): string => `the model expects otherwise: ${why}`;

/**
 * The lanes that got a message, the expected ones first, in their order; `×2` means two copies. Reads all lanes, so
 * only for reports.
 */
export function observedLanes(facts: Facts, message: PlannedMessage): string[] {
  const copies = new Map<Lane, number>();
  for (const lane of facts.lanes) {
    const n = [...lane.deliveries].reduce(
      (sum, d) => sum + (!d.fence && d.message === message.number ? 1 : 0),
      0,
    );
    if (n > 0) copies.set(lane.name, n);
  }
  const expected = expectedLanes(message).filter((l) => copies.has(l));
  const others = [...copies.keys()].filter((l) => !expected.includes(l));
  return [...expected, ...others].map((l) => ((copies.get(l) ?? 0) > 1 ? `${l} ×${copies.get(l)}` : l));
}

/** The messages of the same sender that the lane got before and after one that it did not get. */
export function neighbours(facts: Facts, lane: LaneFacts, message: PlannedMessage): string {
  let before: PlannedMessage | undefined;
  let after: PlannedMessage | undefined;
  for (const d of lane.deliveries) {
    const other = d.fence || d.message === null ? undefined : facts.plan.messages[d.message];
    if (!other || partyOf(other.from) !== partyOf(message.from)) continue;
    if (other.number < message.number && (!before || other.number > before.number)) before = other;
    if (other.number > message.number && (!after || other.number < after.number)) after = other;
  }
  const got = [before, after].filter((m) => m !== undefined).map((m) => m.name);
  if (got.length === 0) return `${lane.name} got nothing else of ${partyOf(message.from)}`;
  return `${lane.name} got ${got.join(' and ')}, not ${message.name}`;
}

/** A time for people: since the run's first send. */
export function clock(facts: Facts, t: number): string {
  const origin = facts.trace.sends.reduce((first, send) => Math.min(first, send.t0), Infinity);
  return `${((t - origin) / 1e6).toFixed(3)} ms`;
}
