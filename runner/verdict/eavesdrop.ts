// SPDX-License-Identifier: MIT
/** Sorts the copies that a lane did not get: lost, left unread, or missed and counted by an eavesdropper. */

import { isMulticast } from '../common/address.ts';
import { count } from '../common/text.ts';
import type { PlannedMessage } from '../plan/plan.ts';
import { faults } from '../topology/steps.ts';
import type { Destination, SendStep } from '../topology/topology.ts';
import { type Facts, type LaneFacts, messageOf, topOf } from './facts.ts';
import { about, some } from './failure-text.ts';
import type { Findings } from './findings.ts';

export type Missing = PlannedMessage;

/** What the lane reported of drops: the sum of its lost counts, and the numbers of the fences that it got. */
interface Reported {
  readonly lost: number;
  readonly fences: ReadonlySet<number>;
  /** Copies that it may have missed. */
  readonly without: number;
}

/** Sorts the missing copies of a lane; adds failures about its lost counts. */
export function settle(
  facts: Facts,
  findings: Findings,
  lane: LaneFacts,
  missing: readonly Missing[],
  reported: Reported,
): { readonly unread: number; readonly dropped: number; readonly gone: readonly Missing[] } {
  const due = lane.readsUntil === Infinity ? missing : mustHaveCome(facts, lane, missing);
  const unread = missing.length - due.length;
  if (!eavesdrops(facts, lane)) {
    if (reported.lost > 0)
      addCount(findings, lane, reported.lost, 'it does not eavesdrop, so nothing may be dropped for it');
    return { unread, dropped: 0, gone: due };
  }
  const gone = due.filter((m) => addressed(facts, lane, m));
  const dropped = due.filter((m) => !addressed(facts, lane, m));
  account(facts, findings, lane, dropped, reported, unread);
  return { unread, dropped: dropped.length, gone };
}

/** The copies received and the counts of lost ones must add up to what was expected; fences may be among the lost. */
function account(
  facts: Facts,
  findings: Findings,
  lane: LaneFacts,
  dropped: readonly Missing[],
  reported: Reported,
  unread: number,
): void {
  // A message reports the drops before it, so drops after the last one are never reported.
  const tellable = beforeTheLast(facts, lane, dropped);
  const first = tellable[0];
  if (first && reported.lost < tellable.length) {
    findings.add('unaccounted', first.step, () => ({
      summary: `${lane.name} missed ${count(tellable.length, 'eavesdropped copy', 'eavesdropped copies')} and was told of ${reported.lost}`,
      expected: `${tellable.length} counted as lost (BUS_SCM_LOST)`,
      observed: `${reported.lost} counted as lost`,
      ...about(first),
      detail: [`missed: ${some(tellable.map((m) => m.name))}`],
    }));
  }
  const most = dropped.length + fencesMissed(facts, lane, reported) + unread + reported.without;
  // The trace of a run that was cut may lack one fence.
  if (reported.lost > most + (facts.trace.cut === undefined ? 0 : 1))
    addCount(findings, lane, reported.lost, `at most ${most} counted as lost: it got all the others`);
}

function fencesMissed({ trace }: Facts, { name }: LaneFacts, reported: Reported): number {
  return trace.fences.filter(({ lanes, number }) => lanes.includes(name) && !reported.fences.has(number))
    .length;
}

function addCount(findings: Findings, lane: LaneFacts, lost: number, expected: string): void {
  findings.add('lost-count', undefined, () => ({
    summary: `${lane.name} was told that it lost copies which it got`,
    expected,
    observed: `${lost} counted as lost`,
  }));
}

function eavesdrops(facts: Facts, lane: LaneFacts): boolean {
  if (lane.accepted) return false;
  if (facts.clients.get(lane.client)?.eavesdrop) return true;
  return [...facts.steps.values()].some(
    ({ step }) =>
      step.kind === 'fault' && step.action.fault === 'eavesdrop' && step.action.client === lane.client,
  );
}

/** Whether the client is a recipient of the message, not only an eavesdropper. */
function addressed(facts: Facts, lane: LaneFacts, message: PlannedMessage): boolean {
  const step = facts.steps.get(message.step)?.step;
  return step?.kind === 'send' && reaches(facts, lane, (step satisfies SendStep).to);
}

function reaches(facts: Facts, lane: LaneFacts, to: Destination): boolean {
  const held = heldThroughout(facts, lane.client);
  const inGroup = (prefix: string) => held.some((address) => address.startsWith(prefix));
  switch (to.kind) {
    case 'client':
      return to.name === lane.client;
    case 'bus':
      return to.name === lane.bus;
    case 'master':
      return false;
    case 'group':
      return inGroup(prefixOf(facts, to.name));
    case 'address': {
      if (!isMulticast(to.address)) return held.includes(to.address);
      const prefix = to.address.slice(0, 5);
      return prefix === '0000/' || inGroup(prefix);
    }
  }
}

/** Addresses that the client gets at the start and keeps throughout. */
function heldThroughout(facts: Facts, name: string): readonly string[] {
  const taken = new Set<string>();
  for (const { action } of faults(facts.plan.topology.steps))
    if (action.fault === 'del-address' && action.client === name) taken.add(action.address);
  return facts.clients.get(name)?.addresses.filter((address) => !taken.has(address)) ?? [];
}

const prefixOf = (facts: Facts, group: string): string => {
  const prefix = facts.plan.topology.groups.find((g) => g.name === group)?.prefix ?? 0;
  return `${prefix.toString(16).padStart(4, '0')}/`;
};

/**
 * The missing copies that a lane would have read before it stopped reading: those of earlier steps, and those whose
 * send returned before the send of a message began that it did read.
 */
function mustHaveCome(facts: Facts, lane: LaneFacts, missing: readonly Missing[]): readonly Missing[] {
  const before = new Set(beforeTheLast(facts, lane, missing));
  return missing.filter((m) => topOf(facts, m) < lane.readsUntil || before.has(m));
}

/**
 * The missing copies whose send returned before the send of another message, or of a fence, began that the lane did
 * get. The messages of one step are sent one after another.
 */
function beforeTheLast(facts: Facts, lane: LaneFacts, missing: readonly Missing[]): readonly Missing[] {
  if (missing.length === 0) return missing;
  const fences = new Map(facts.trace.fences.map((f) => [`${f.bus} ${f.number}`, f.t0 ?? Infinity]));
  const ofStep = new Map<string, number>();
  let latest = -Infinity;
  for (const d of lane.deliveries) {
    const message = messageOf(facts, d);
    if (message) ofStep.set(message.step, Math.max(message.number, ofStep.get(message.step) ?? -1));
    const began = d.fence
      ? fences.get(`${lane.bus} ${d.message}`)
      : message && facts.sends[message.number]?.t0;
    if (began !== undefined) latest = Math.max(latest, began);
  }
  return missing.filter(
    ({ number, step }) => (facts.sends[number]?.t1 ?? Infinity) < latest || number < (ofStep.get(step) ?? -1),
  );
}
