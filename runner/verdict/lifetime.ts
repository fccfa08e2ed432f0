// SPDX-License-Identifier: MIT
/** `lifetime`: sockets end when they must and not before, and processes live as long as the run wants. */

import { count, plural } from '../common/text.ts';
import { type FaultAction, faultText, rowOf, subjectOf } from '../topology/faults.ts';
import { type LaneParts, masterOf, parseLane, partyOf } from '../topology/lane.ts';
import { faults } from '../topology/steps.ts';
import type { FaultStep } from '../topology/topology.ts';
import type { EndEvent } from '../trace/trace.ts';
import { type DueEnd, dueEnds } from './due-ends.ts';
import { addEarlyEnd, EARLY_END } from './early-end.ts';
import type { Facts, LaneFacts } from './facts.ts';
import { clock } from './failure-text.ts';
import { Findings } from './findings.ts';
import { judgeSteps } from './step-outcomes.ts';
import type { CheckResult } from './verdict.ts';

const KINDS = [...EARLY_END, 'ended', 'unended', 'step', 'incomplete', 'unplayed'];

/** Checks ends of sockets, exits, and the steps about them. */
export function lifetime(facts: Facts): CheckResult {
  const findings = new Findings('lifetime', KINDS);
  const { ends, attaches } = facts.trace;
  addEarlyEnd(findings, facts.trace);
  const over = lastActivity(facts);
  for (const end of ends) if (end.t <= over) judgeEnd(facts, findings, end);
  const met = new Set(ends.filter((end) => end.why !== 'closed' || end.t <= over).map(({ lane }) => lane));
  for (const due of dueEnds(facts)) if (!met.has(due.lane)) addUnended(findings, due);
  const hangups = [...facts.steps.values()].filter(({ step }) => step.kind === 'hangup');
  judgeSteps(facts, findings, 'lifetime', hangups);
  for (const lane of facts.lanes) judgeRecord(facts, findings, lane);
  const ended = hangups.length > 0 ? `, ${count(hangups.length, 'awaited end')}` : '';
  const nothing = attaches.length + hangups.length === 0 ? 'nobody attached to a bus' : undefined;
  return findings.result(attaches.length, `${plural(attaches.length, 'attachment')}${ended}`, nothing);
}

/** Positions in a lane must count from 0 without a gap; else part of its record was lost on the way here. */
function judgeRecord(facts: Facts, findings: Findings, lane: LaneFacts): void {
  let gap = 0;
  for (const { position } of lane.deliveries)
    if (position === gap) gap++;
    else break;
  if (gap === lane.deliveries.length || facts.crashed.has(lane.agent)) return;
  findings.add('incomplete', lane.name, () => ({
    summary: `the record of ${lane.name} has a gap`,
    expected: `position ${gap}`,
    observed: `position ${lane.deliveries.at(gap)?.position}`,
  }));
}

/** The time of the last event of a step: later ends belong to taking the lab down. */
function lastActivity({ trace }: Facts): number {
  let last = -Infinity;
  for (const send of trace.sends) last = Math.max(last, send.t1 ?? send.t0);
  for (const step of trace.steps) last = Math.max(last, step.t1);
  return last;
}

function judgeEnd(facts: Facts, findings: Findings, end: EndEvent): void {
  const lane = parseLane(end.lane);
  if (end.why === 'closed' || mayEnd(facts, lane, end)) return;
  findings.add('ended', end.lane, () => ({
    summary: `the socket ${end.lane} ended, and no step had ended it`,
    expected: 'it lives until the end of the run',
    observed: `${end.why}${end.errno ? ` (${end.errno})` : ''} at ${clock(facts, end.t)}`,
  }));
}

function addUnended(findings: Findings, { lane, fault }: DueEnd): void {
  findings.add('unended', fault.id, () => ({
    summary: `the socket ${lane} did not end after ${faultText(fault.action)}`,
    expected: 'its reader sees the end',
    observed: 'its reader read all there was, and saw no end',
    step: fault.id,
    place: fault.place,
  }));
}

/** Whether something that happened before calls for this end. */
function mayEnd(facts: Facts, lane: LaneParts, end: EndEvent): boolean {
  const client = facts.clients.get(lane.client);
  const master = masterOf(client?.bus ?? '');
  const onBus = joined(facts, lane.client);
  const others = lane.accepted ? [lane.client, lane.agent] : onBus ? [lane.client] : [lane.client, master];
  if (others.some((agent) => facts.crashed.has(agent))) return true;
  if (facts.plan.prediction.mayBeEvicted(lane.client)) return true;
  const all = [...faults(facts.plan.topology.steps)].filter(({ action }) => endsOne(action, others));
  if (all.some(({ id }) => end.t >= beganAt(facts, id))) return true;
  // If a fault of the file ends it, that is what the file waits for, and no other end.
  return !(onBus && all.length > 0) && awaited(facts, lane.client);
}

const beganAt = ({ trace }: Facts, id: string): number =>
  trace.steps.find(({ step }) => step === id)?.t0 ?? -Infinity;

const awaited = ({ steps }: Facts, name: string): boolean =>
  [...steps.values()].some(({ step }) => step.kind === 'hangup' && step.client === name);

function joined(facts: Facts, name: string): boolean {
  const client = facts.clients.get(name);
  if (client?.join && client.admitted) return true;
  const joins = ({ action }: FaultStep) => action.fault === 'join' && action.client === name;
  return [...faults(facts.plan.topology.steps)].some(joins);
}

/** Whether the fault ends one of these parties, or its place on the bus. */
const endsOne = (action: FaultAction, parties: readonly string[]): boolean =>
  rowOf(action).ends !== undefined && parties.includes(partyOf(subjectOf(action)));
