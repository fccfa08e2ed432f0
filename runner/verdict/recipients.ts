// SPDX-License-Identifier: MIT
/** `recipients`: each successful message reached exactly its lanes, once each, and nothing else reached anybody. */

import { count, plural } from '../common/text.ts';
import type { PlannedMessage } from '../plan/plan.ts';
import type { DeliveryEvent } from '../trace/trace.ts';
import { addDuplicate, addExtra, addInvented, addLost, compare } from './copies.ts';
import { type Missing, settle } from './eavesdrop.ts';
import {
  allowedLanes,
  expectedLanes,
  type Facts,
  isChecked,
  type LaneFacts,
  messageOf,
  outcomeOf,
  whyUnchecked,
} from './facts.ts';
import { reasons } from './failure-text.ts';
import { judgeFence, type SentFences, sentFences } from './fences.ts';
import { Findings } from './findings.ts';
import { linearizable } from './linearizable.ts';
import { provenReturns } from './proven.ts';
import type { CheckResult } from './verdict.ts';
import { writtenDeliveries } from './written.ts';

const KINDS = [
  'lost',
  'partial',
  'unaccounted',
  'extra',
  'invented',
  'duplicated',
  'notLinearizable',
  'written',
  'lost-count',
];

type Lanes = readonly string[];

const EXPECTED = 1;
const GOT = 2;
/** The lane may get the message. */
const ALLOWED = 3;

/** Checks which lane got which message. */
export function recipients(facts: Facts): CheckResult {
  const findings = new Findings('recipients', KINDS);
  const proven = provenReturns(facts);
  const expected = byLane(facts, (message) => mustGet(facts, message, proven));
  const allowed = byLane(facts, (message) => mayGet(facts, message, proven));
  const marks = new Uint8Array(facts.plan.messages.length);
  const checked = facts.plan.messages.map((message) => isChecked(facts, message));
  const fences = sentFences(facts);
  let [unread, dropped] = [0, 0];
  facts.lanes.forEach((lane, i) => {
    const messages = { expected: expected[i] ?? [], allowed: allowed[i] ?? [] };
    const left = judgeLane(facts, findings, lane, messages, marks, fences);
    unread += left.unread;
    dropped += left.dropped;
  });
  partial(facts, findings, proven);
  // If a single message is wrong, the messages need not be compared with each other.
  if (!findings.any) linearizable(facts, findings);
  const written = writtenDeliveries(facts, findings);
  if (unread > 0)
    findings.note(`${count(unread, 'copy', 'copies')} not judged: the reader had stopped or ended`);
  if (dropped > 0)
    findings.note(`${count(dropped, 'copy', 'copies')} missed by eavesdroppers, which may miss some`);
  const due = expected.reduce((sum, l) => sum + l.filter((n) => checked[n]).length, 0);
  const copies = Math.max(0, due - unread - dropped);
  const why = whyUnchecked(facts);
  if (why !== undefined && copies + written > 0) findings.note(`not judged who got what: ${why}`);
  const arrived = facts.lanes.some((l) => l.deliveries.length > 0);
  const lines = written > 0 ? `, ${count(written, 'written delivery', 'written deliveries')}` : '';
  const nothing =
    copies + written > 0
      ? undefined
      : (why ?? (arrived ? undefined : 'no message was expected anywhere, and none came'));
  return findings.result(copies, `${plural(copies, 'copy', 'copies')}${lines}`, nothing);
}

/** Lane → the messages that `lanesOf` assigns to it, in plan order. */
function byLane(facts: Facts, lanesOf: (message: PlannedMessage) => readonly Lanes[]): number[][] {
  const lists: number[][] = facts.lanes.map(() => []);
  const place = new Map(facts.lanes.map((l, i) => [l.name, i]));
  const resolved = new Map<Lanes, number[]>();
  for (const message of facts.plan.messages) {
    for (const lanes of lanesOf(message)) {
      const places = resolved.get(lanes) ?? lanes.map((l) => place.get(l) as number);
      resolved.set(lanes, places);
      for (const p of places) lists[p]?.push(message.number);
    }
  }
  return lists;
}

/** The lanes that must get a message: its send succeeded. */
const mustGet = (facts: Facts, message: PlannedMessage, proven: ReadonlySet<number>): readonly Lanes[] =>
  succeeded(facts, message, proven) ? [expectedLanes(message)] : [];

/** The lanes that may get it as well. A send that never returned may have reached its recipients, and need not. */
function mayGet(facts: Facts, message: PlannedMessage, proven: ReadonlySet<number>): readonly Lanes[] {
  if (succeeded(facts, message, proven)) return [allowedLanes(message)];
  if (outcomeOf(facts, message.number) !== 'pending') return [];
  return [expectedLanes(message), allowedLanes(message)];
}

const succeeded = (facts: Facts, { number }: PlannedMessage, proven: ReadonlySet<number>): boolean =>
  outcomeOf(facts, number) === 'ok' || proven.has(number);

/** Checks one lane; returns how many copies it may have left unread, and how many it missed as an eavesdropper. */
function judgeLane(
  facts: Facts,
  findings: Findings,
  lane: LaneFacts,
  { expected, allowed }: Record<'expected' | 'allowed', readonly number[]>,
  marks: Uint8Array,
  fences: SentFences,
): { readonly unread: number; readonly dropped: number } {
  for (const n of expected) marks[n] = EXPECTED;
  for (const n of allowed) marks[n] = ALLOWED;
  const seenFences = new Set<number>();
  let lost = 0;
  for (const d of lane.deliveries) {
    lost += d.lost;
    if (d.fence) judgeFence(findings, lane, d, fences, seenFences);
    else judgeDelivery(facts, findings, lane, d, marks);
  }
  const missing: Missing[] = [];
  for (const n of expected) {
    if (marks[n] === EXPECTED) missing.push(facts.plan.messages[n] as PlannedMessage);
    marks[n] = 0;
  }
  const without = allowed.filter((n) => marks[n] === ALLOWED).length;
  for (const n of allowed) marks[n] = 0;
  const { unread, dropped, gone } = settle(facts, findings, lane, missing, {
    lost,
    fences: seenFences,
    without,
  });
  for (const message of gone) addLost(facts, findings, lane, message);
  return { unread, dropped };
}

function judgeDelivery(
  facts: Facts,
  findings: Findings,
  lane: LaneFacts,
  d: DeliveryEvent,
  marks: Uint8Array,
): void {
  const message = messageOf(facts, d);
  const outcome = message && outcomeOf(facts, message.number);
  if (!message || outcome === 'unsent') addInvented(facts, findings, lane, d, message);
  // `errors` reports copies of failed sends, and of sends that should have failed.
  else if (outcome === 'failed' || message.expected.kind === 'error') return;
  else judgeCopy(facts, findings, lane, message, marks);
}

function judgeCopy(
  facts: Facts,
  findings: Findings,
  lane: LaneFacts,
  message: PlannedMessage,
  marks: Uint8Array,
): void {
  const mark = marks[message.number];
  if (mark === EXPECTED || mark === ALLOWED) marks[message.number] = GOT;
  else if (mark === GOT) addDuplicate(facts, findings, lane, message);
  else addExtra(facts, findings, lane, message);
}

/** A send that never returned must have reached all its recipients or none. */
function partial(facts: Facts, findings: Findings, proven: ReadonlySet<number>): void {
  for (const [message, got] of pendingReceipts(facts)) {
    if (proven.has(message.number)) continue;
    const certain = expectedLanes(message).filter((l) => facts.laneOf.get(l)?.readsUntil === Infinity);
    if (certain.every((l) => got.has(l))) continue;
    findings.add('partial', message.step, () => ({
      summary: `${message.name}, whose send never returned, reached only some of its recipients`,
      ...compare(facts, message),
      detail: [
        'all of them or none: the send is atomic, whatever becomes of its sender',
        ...reasons(message),
      ],
    }));
  }
}

function pendingReceipts(facts: Facts): Map<PlannedMessage, Set<string>> {
  const receipts = new Map<PlannedMessage, Set<string>>();
  if (!facts.trace.sends.some((s) => s.t1 === undefined)) return receipts;
  for (const lane of facts.lanes) {
    for (const d of lane.deliveries) {
      const message = messageOf(facts, d);
      if (message?.expected.kind !== 'delivered' || outcomeOf(facts, message.number) !== 'pending') continue;
      receipts.set(message, (receipts.get(message) ?? new Set()).add(lane.name));
    }
  }
  return receipts;
}
