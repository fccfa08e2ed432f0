// SPDX-License-Identifier: MIT
/** `errors`: each send failed or succeeded as expected, and a failed one reached nobody. */

import { plural } from '../common/text.ts';
import type { PlannedMessage } from '../plan/plan.ts';
import { partyOf } from '../topology/lane.ts';
import type { SendEvent } from '../trace/trace.ts';
import { expectedLanes, type Facts, outcomeOf, topOf, whyUnchecked } from './facts.ts';
import { about, aboutStep, list, observedLanes, reasons } from './failure-text.ts';
import { Findings } from './findings.ts';
import { endsAt } from './steps.ts';
import type { CheckResult } from './verdict.ts';

const KINDS = [
  'delivered-though-failed',
  'unexpected-error',
  'unexpected-success',
  'wrong-errno',
  'step',
  'unsent',
];

/** A report gives each reason once: what the model does not follow is unknown to both checks. */
const ALIKE = 'for the reason that recipients gives';

/** Judges the outcome of every send. */
export function errors(facts: Facts): CheckResult {
  const findings = new Findings('errors', KINDS);
  for (const message of facts.plan.messages) {
    const outcome = outcomeOf(facts, message.number);
    if (outcome === 'unsent') judgeUnsent(facts, findings, message);
    else if (outcome !== 'pending') judgeSend(facts, findings, message);
  }
  deliveredThoughFailed(facts, findings);
  for (const { step, failure } of facts.trace.steps) {
    if (failure?.check !== 'errors') continue;
    const { expected, observed } = failure;
    findings.add('step', step, () => ({
      summary: `step ${step} failed`,
      expected,
      observed,
      ...aboutStep(facts, step),
    }));
  }
  const { sends: all } = facts.trace;
  const sends = all.filter(({ message }) => !isOpen(facts.plan.messages[message])).length;
  const why = sends < all.length ? whyUnchecked(facts) : undefined;
  if (why !== undefined && sends > 0) findings.note(`not judged which sends had to fail, ${ALIKE}`);
  const unit = `${plural(sends, 'send')}${outcomes(all)}`;
  return findings.result(
    sends,
    unit,
    sends === 0 ? (why === undefined ? 'nothing was sent' : ALIKE) : undefined,
  );
}

/** Whether the send may succeed or fail, whatever comes of it. */
const isOpen = (message: PlannedMessage | undefined): boolean => message?.expected.open === true;

/** `: 11 sent, 489 ENOBUFS`; nothing if all were sent. */
function outcomes(sends: readonly SendEvent[]): string {
  const counts = new Map<string, number>();
  for (const { error, t1 } of sends) {
    const word = error ?? (t1 === undefined ? 'never returned' : 'sent');
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const others = [...counts].filter(([word]) => word !== 'sent');
  if (others.length === 0) return '';
  const all = [['sent', counts.get('sent') ?? 0] as const, ...others];
  return `: ${all.map(([word, n]) => `${n} ${word}`).join(', ')}`;
}

function judgeSend(facts: Facts, findings: Findings, message: PlannedMessage): void {
  const { error: errno, t1 = 0 } = facts.sends[message.number] ?? {};
  const { expected } = message;
  if (errno !== undefined && expected.or?.includes(errno)) return;
  // Queues are read empty after the cut, so a full queue had room again.
  if (errno === undefined && t1 > (facts.trace.cutAt ?? Infinity)) return;
  const tied = { ...about(message), detail: reasons(message) };
  if (expected.kind === 'delivered') {
    if (errno === undefined) return;
    findings.add('unexpected-error', message.step, () => ({
      summary: `${message.name} failed with ${errno}`,
      expected: `success: delivered to ${list(expectedLanes(message))}`,
      observed: errno,
      ...tied,
    }));
  } else if (errno === undefined) {
    findings.add('unexpected-success', message.step, () => ({
      summary: `${message.name} succeeded though it had to fail`,
      expected: expected.errno,
      observed: `success: delivered to ${list(observedLanes(facts, message))}`,
      ...tied,
    }));
  } else if (errno !== expected.errno) {
    findings.add('wrong-errno', message.step, () => ({
      summary: `${message.name} failed with ${errno}, not ${expected.errno}`,
      expected: expected.errno,
      observed: errno,
      ...tied,
    }));
  }
}

/** A message was not sent: right only if its sender crashed or was ended by a fault. */
function judgeUnsent(facts: Facts, findings: Findings, message: PlannedMessage): void {
  const sender = partyOf(message.from);
  if (
    facts.trace.cut !== undefined ||
    facts.crashed.has(sender) ||
    topOf(facts, message) >= endsAt(sender, facts.steps.values())
  )
    return;
  findings.add('unsent', message.step, () => ({
    summary: `${message.name} was never sent`,
    expected: `${sender} sends it`,
    observed: 'no send was recorded',
    ...about(message),
  }));
}

/** An error means that nobody gets the message: reports failed sends that reached somebody. */
function deliveredThoughFailed(facts: Facts, findings: Findings): void {
  if (!facts.trace.sends.some((s) => s.error !== undefined)) return;
  for (const lane of facts.lanes) {
    for (const d of lane.deliveries) {
      if (d.fence || d.message === null || outcomeOf(facts, d.message) !== 'failed') continue;
      const message = facts.plan.messages[d.message] as PlannedMessage;
      findings.add('delivered-though-failed', message.step, () => ({
        summary: `the send of ${message.name} failed, yet ${lane.name} got it`,
        expected: 'delivered to nobody',
        observed: `${facts.sends[message.number]?.error}; delivered to ${list(observedLanes(facts, message))}`,
        ...about(message),
      }));
    }
  }
}
