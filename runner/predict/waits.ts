// SPDX-License-Identifier: MIT
/**
 * `blocked: false` for a client that never has to wait: every reader empties its queue, or has room for all that
 * comes.
 */
import { DEFAULT_QUEUE_LENGTH, DEFAULT_SEND_BUFFER } from '../model/index.ts';
import { readingEffect, subjectOf } from '../topology/faults.ts';
import { type Lane, parseLane, partyOf } from '../topology/lane.ts';
import { lengthsOf } from '../topology/message.ts';
import { sends, type Visit, walk } from '../topology/steps.ts';
import type { BlockedStep, SendStep, Topology } from '../topology/topology.ts';
import type { Prediction } from './predict.ts';

/** Such steps by id: they cannot fail, so they check nothing. */
export function idleWaits(prediction: Prediction, topology: Topology): ReadonlyMap<string, BlockedStep> {
  const visits = [...walk(topology.steps)];
  const lazy = lazySince(topology, visits);
  const idle = new Map<string, BlockedStep>();
  for (const { step, top } of visits) {
    if (step.kind !== 'blocked' || step.blocked) continue;
    const own = visits.flatMap((visit) => (visit.top === top && isOf(visit.step, step) ? [visit.step] : []));
    const until = topology.steps.slice(0, top + 1);
    if (!own.some((send) => mayWait(send, { prediction, topology, lazy, top, until })))
      idle.set(step.id, step);
  }
  return idle;
}

const isOf = (step: Visit['step'], { client }: BlockedStep): step is SendStep =>
  step.kind === 'send' && step.from.kind === 'client' && step.from.name === client && !step.nonblocking;

/** Party → the first top-level step in which it may leave messages unread. */
function lazySince({ clients }: Topology, visits: readonly Visit[]): ReadonlyMap<string, number> {
  const since = new Map(clients.filter(({ receive }) => receive === 'manual').map(({ name }) => [name, 0]));
  for (const { step, top } of visits) {
    if (step.kind !== 'fault') continue;
    const party = partyOf(subjectOf(step.action));
    const effect = readingEffect(step.action);
    if ((effect === 'pauses' || effect === 'stops' || effect === 'reads some') && !since.has(party))
      since.set(party, top);
  }
  return since;
}

interface Moment {
  readonly prediction: Prediction;
  readonly topology: Topology;
  readonly lazy: ReadonlyMap<string, number>;
  readonly top: number;
  /** The steps up to this one. */
  readonly until: Topology['steps'];
}

function mayWait(send: SendStep, moment: Moment): boolean {
  const { prediction, topology, lazy, top } = moment;
  const reached = [...lanesOf(prediction, send), partyOf(send.from)];
  const slow = reached.filter((lane) => (lazy.get(parseLane(lane).agent) ?? Infinity) <= top);
  if (slow.length === 0) return false;
  const client = topology.clients.find(({ name }) => name === partyOf(send.from));
  const bus = topology.buses.find(({ name }) => name === client?.bus);
  const { queueLength = DEFAULT_QUEUE_LENGTH, sendBuffer = DEFAULT_SEND_BUFFER } = bus ?? {};
  const cost = send.count * (2 * lengthsOf(send).max + COST_EACH);
  return cost >= sendBuffer || slow.some((lane) => comingTo(lane, moment) > queueLength);
}

/** Upper limit of the kernel's own memory per message, in bytes. */
const COST_EACH = 8192;

/** Messages that may have come to a lane by this step, from all senders. */
function comingTo(lane: Lane, { prediction, until }: Moment): number {
  let coming = 0;
  for (const send of sends(until)) if (lanesOf(prediction, send).has(lane)) coming += send.count;
  return coming;
}

/** Lanes that any message of the step may reach. */
export function lanesOf(prediction: Prediction, { id, count }: SendStep): ReadonlySet<Lane> {
  const lanes = new Set<Lane>();
  const seen = new Set<unknown>();
  for (let n = 0; n < count; n++) {
    const allowed = prediction.of(id, n);
    if (allowed === undefined || seen.has(allowed)) continue;
    seen.add(allowed);
    const { must = [], may = [] } = allowed.delivered ?? {};
    for (const lane of [...must, ...may]) lanes.add(lane);
  }
  return lanes;
}
