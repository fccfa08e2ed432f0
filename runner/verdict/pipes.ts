// SPDX-License-Identifier: MIT
/** Checks descriptors by their use: each receiver's token came out of the pipe, and then end of file. */

import type { PlannedMessage } from '../plan/plan.ts';
import { partyOf } from '../topology/lane.ts';
import type { PipeEvent } from '../trace/trace.ts';
import { allowedLanes, expectedLanes, type Facts, outcomeOf } from './facts.ts';
import { about, list } from './failure-text.ts';
import type { Findings } from './findings.ts';
import { endsAt } from './steps.ts';

/** Checks the pipes of every message that had some; returns how many there were. */
export function pipes(facts: Facts, findings: Findings): number {
  const reports = new Map<number, PipeEvent[]>();
  const ofOthers = new Set(facts.plan.topology.messageBuses?.clients.map(({ name }) => name));
  for (const pipe of facts.trace.pipes) {
    if (ofOthers.has(pipe.agent)) continue;
    const list = reports.get(pipe.message);
    if (list) list.push(pipe);
    else reports.set(pipe.message, [pipe]);
  }
  const carrying = facts.plan.messages.filter((m) => m.fds > 0 && isOver(facts, m));
  const receivers = receiversOf(facts, new Set(carrying.map((m) => m.number)));
  for (const message of carrying) {
    const events = reports.get(message.number) ?? [];
    const reported = new Set(events.map(({ index }) => index));
    for (let index = 0; index < message.fds && facts.trace.cut === undefined; index++)
      if (!reported.has(index)) addUnreported(findings, message, index);
    for (const event of events) {
      const got = holdersOf(event, receivers.get(message.number) ?? []);
      judgePipe(facts, findings, message, event, got);
    }
  }
  return carrying.reduce((sum, m) => sum + m.fds, 0);
}

/** Whether the send returned and its sender lived to read the pipe. */
function isOver(facts: Facts, message: PlannedMessage): boolean {
  const outcome = outcomeOf(facts, message.number);
  const sender = partyOf(message.from);
  if (facts.crashed.has(sender) || endsAt(sender, facts.steps.values()) !== Infinity) return false;
  return outcome === 'ok' || outcome === 'failed';
}

/** The recipients that got the descriptor: one that gets fewer than were sent gets the first ones. */
const holdersOf = ({ index }: PipeEvent, receivers: readonly Receiver[]): string[] => [
  ...new Set(receivers.filter(({ fds }) => fds > index).map(({ lane }) => lane)),
];

interface Receiver {
  readonly lane: string;
  readonly fds: number;
}

/** Message → the recipients that got descriptors of it. */
function receiversOf(facts: Facts, wanted: ReadonlySet<number>): Map<number, Receiver[]> {
  const receivers = new Map<number, Receiver[]>();
  if (wanted.size === 0) return receivers;
  for (const lane of facts.lanes) {
    for (const d of lane.deliveries) {
      if (d.fence || d.message === null || d.fds === 0 || !wanted.has(d.message)) continue;
      const got = receivers.get(d.message);
      const receiver = { lane: lane.name, fds: d.fds };
      if (got) got.push(receiver);
      else receivers.set(d.message, [receiver]);
    }
  }
  return receivers;
}

/** A token that a receiver wrote by another descriptor than that of this pipe says by which. */
const tokenText = (token: string): string => token.replace(/ (\d+)$/, ' by its descriptor $1');

function judgePipe(
  facts: Facts,
  findings: Findings,
  message: PlannedMessage,
  pipe: PipeEvent,
  got: readonly string[],
): void {
  const add = (kind: string, summary: string, expected: string, observed: string) =>
    findings.add(kind, message.step, () => ({ summary, expected, observed, ...about(message) }));
  const pipeName = `pipe ${pipe.index} of ${message.name}`;
  const tokensOf = (lanes: readonly string[]) => `tokens of ${list(lanes.map(tokenText))}`;
  const absent = got.filter((l) => !pipe.tokens.includes(l));
  const stray = pipe.tokens.filter((l) => !got.includes(l) && !mayBeUnheard(facts, message, l));
  if (absent.length > 0) {
    add('token', `${pipeName} got no token of ${list(absent)}`, tokensOf(got), tokensOf(pipe.tokens));
  }
  if (stray.length > 0) {
    add(
      'stray-token',
      `${pipeName} got a token of ${list(stray.map(tokenText))}`,
      tokensOf(got),
      tokensOf(pipe.tokens),
    );
  }
  if (!pipe.eof && !mayBeQueued(facts, message, got)) {
    const held = 'no EOF: some write end is still open';
    add(
      'no-eof',
      `a descriptor of ${message.name} leaked`,
      'EOF after the last receiver closed its copy',
      held,
    );
  }
}

/** Whether the reader was killed before it could report what it read last. */
function mayBeUnheard(facts: Facts, message: PlannedMessage, lane: string): boolean {
  const recipient = expectedLanes(message).includes(lane) || allowedLanes(message).includes(lane);
  return recipient && facts.laneOf.get(lane)?.readsUntil !== Infinity;
}

/** Whether an unread copy may keep the pipe open, which is right. */
function mayBeQueued(facts: Facts, message: PlannedMessage, got: readonly string[]): boolean {
  const lanes = [...expectedLanes(message), ...allowedLanes(message)];
  return lanes.some((l) => !got.includes(l) && facts.laneOf.get(l)?.readsUntil !== Infinity);
}

function addUnreported(findings: Findings, message: PlannedMessage, index: number): void {
  findings.add('no-pipe', message.step, () => ({
    summary: `nothing is known of pipe ${index} of ${message.name}`,
    expected: 'its tokens and its end',
    observed: 'no report',
    ...about(message),
  }));
}
