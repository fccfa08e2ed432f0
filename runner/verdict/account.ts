// SPDX-License-Identifier: MIT
/**
 * What a reader of a passing report should know, in numbers: sends that failed, messages that reached nobody or took
 * the default route to the master, messages during faults, evicted clients, copies that eavesdroppers missed. It judges
 * nothing.
 */

import { MASTER } from '../common/address.ts';
import { count } from '../common/text.ts';
import type { PlannedMessage } from '../plan/plan.ts';
import { type FaultAction, rowOf } from '../topology/faults.ts';
import { faults, sends } from '../topology/steps.ts';
import type { SendStep } from '../topology/topology.ts';
import {
  allowedLanes,
  busOf,
  expectedLanes,
  type Facts,
  type LaneFacts,
  messageOf,
  outcomeOf,
} from './facts.ts';
import { overlapInWords, overlaps } from './overlap.ts';

/** Maximum number of lines: in a file with many steps only the totals matter. */
const SHOWN = 20;

export function account(facts: Facts): readonly string[] {
  const lines = [
    ...[...sends(facts.plan.topology.steps)].flatMap((step) => ofStep(facts, step)),
    ...overlaps(facts).map(overlapInWords),
    ...facts.lanes.flatMap((lane) => evicted(facts, lane)),
    ...facts.lanes.flatMap((lane) => missed(facts, lane)),
  ];
  if (lines.length <= SHOWN) return lines;
  return [...lines.slice(0, SHOWN), `and ${count(lines.length - SHOWN, 'line')} more like these`];
}

/** The outcome of the messages of one step; nothing if each of them reached a client as intended. */
function ofStep(facts: Facts, step: SendStep): string[] {
  const { first, count: planned } = facts.plan.messagesOf.get(step.id) ?? { first: 0, count: 0 };
  const messages = facts.plan.messages.slice(first, first + planned);
  const lines = [...outcomes(facts, step, messages), ...destinations(facts, step, messages)];
  return lines.map((line) => `step ${step.id} (line ${step.place.line}): ${line}`);
}

/** `500 sends: 11 sent, 489 ENOBUFS (allowed by overflow: fail)` */
function outcomes(facts: Facts, step: SendStep, messages: readonly PlannedMessage[]): string[] {
  const counts = new Map<string, number>();
  for (const { number } of messages) {
    const outcome = outcomeOf(facts, number);
    const errno = facts.sends[number]?.error ?? '';
    const word = { ok: 'sent', pending: 'not seen to return', unsent: 'never sent', failed: errno }[outcome];
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  if (counts.size === 1 && counts.has('sent')) return [];
  const parts = [...counts].map(([word, n]) => `${n} ${word}${reason(facts, step, word)}`);
  return [`${count(messages.length, 'send')}: ${parts.join(', ')}`];
}

/** Why an errno is right. A send that must not fail is a failure of `errors`. */
function reason(facts: Facts, step: SendStep, errno: string): string {
  if (!/^E[A-Z]+$/.test(errno)) return '';
  if (step.expect.error === errno) return ' (expected by the file)';
  const first = facts.plan.messagesOf.get(step.id)?.first ?? 0;
  const bus = busOf(facts, facts.plan.messages[first] as PlannedMessage);
  const { overflow } = facts.plan.topology.buses.find(({ name }) => name === bus) ?? {};
  if (errno === 'ENOBUFS' && overflow === 'fail') return ' (allowed by overflow: fail)';
  return ' (allowed by the model)';
}

function destinations(facts: Facts, step: SendStep, messages: readonly PlannedMessage[]): string[] {
  const got = receivedBy(facts);
  const sent = messages.filter(({ number }) => outcomeOf(facts, number) === 'ok');
  const forMaster = step.to.kind === 'master' || (step.to.kind === 'address' && step.to.address === MASTER);
  const routed = sent.filter(({ number }) => got.get(number)?.accepted).length;
  const nobody = sent.filter(({ number }) => !got.has(number)).length;
  const of = (n: number) => `${n} of ${count(messages.length, 'message')}`;
  return [
    ...(routed > 0 && !forMaster ? [`${of(routed)} to the master by the default route`] : []),
    ...(nobody > 0 ? [`${of(nobody)} reached nobody`] : []),
  ];
}

interface Receivers {
  /** Whether an accepted socket is among them. */
  accepted: boolean;
}

const received = new WeakMap<Facts, ReadonlyMap<number, Receivers>>();

/** Message number → its receivers; messages without any are absent. */
function receivedBy(facts: Facts): ReadonlyMap<number, Receivers> {
  const known = received.get(facts);
  if (known) return known;
  const all = new Map<number, Receivers>();
  for (const lane of facts.lanes) {
    for (const delivery of lane.deliveries) {
      const message = messageOf(facts, delivery);
      if (message === undefined) continue;
      const receivers = all.get(message.number) ?? { accepted: false };
      receivers.accepted ||= lane.accepted;
      all.set(message.number, receivers);
    }
  }
  received.set(facts, all);
  return all;
}

/** Reports a client whose socket ended, which the bus may evict, although no step ends it. */
function evicted(facts: Facts, lane: LaneFacts): string[] {
  if (!facts.plan.prediction.mayBeEvicted(lane.client)) return [];
  if (lane.accepted || facts.crashed.has(lane.agent)) return [];
  if (!facts.trace.ends.some((end) => end.lane === lane.name && end.why !== 'closed')) return [];
  if ([...faults(facts.plan.topology.steps)].some(({ action }) => endsIt(action, lane))) return [];
  const last = [...lane.deliveries].findLast(({ fence }) => !fence);
  const after = last && messageOf(facts, last)?.name;
  return [
    `${lane.name} was evicted${after === undefined ? '' : `; the last message that it got is ${after}`}`,
  ];
}

const endsIt = (action: FaultAction, { client, bus }: LaneFacts): boolean =>
  rowOf(action).ends !== undefined &&
  ('client' in action
    ? action.client === client
    : 'bus' in action
      ? action.bus === bus
      : action.target.kind === 'client'
        ? action.target.name === client
        : action.target.bus === bus);

/** `spy missed 198 of 400 copies, as eavesdroppers may` */
function missed(facts: Facts, { name, accepted, deliveries }: LaneFacts): string[] {
  if (accepted || !deliveries.some(({ lost }) => lost > 0)) return [];
  const ok = facts.plan.messages.filter(({ number }) => outcomeOf(facts, number) === 'ok');
  const must = ok.filter((message) => expectedLanes(message).includes(name));
  const all = new Set([...must, ...ok.filter((message) => allowedLanes(message).includes(name))]);
  // A copy of any other message has its own failure.
  const isItsOwn = (message: PlannedMessage | undefined) => message !== undefined && all.has(message);
  const got = new Set([...deliveries].map((each) => messageOf(facts, each)).filter(isItsOwn));
  const [least, most] = [Math.max(0, must.length - got.size), all.size - got.size];
  const missing = least < most ? `${least} to ${most}` : `${most}`;
  return most > 0
    ? [`${name} missed ${missing} of ${count(all.size, 'copy', 'copies')}, as eavesdroppers may`]
    : [];
}
