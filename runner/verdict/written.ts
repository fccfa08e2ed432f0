// SPDX-License-Identifier: MIT
/**
 * The lines of `expect.deliveries`: this lane got this message, from this client, with these descriptors and
 * credentials.
 */

import type { PlannedMessage } from '../plan/plan.ts';
import { busOfMaster, defaultRoute, partyOf } from '../topology/lane.ts';
import type { DeliveryExpect } from '../topology/topology.ts';
import type { DeliveryEvent } from '../trace/trace.ts';
import type { Facts } from './facts.ts';
import { list, observedLanes } from './failure-text.ts';
import type { Findings } from './findings.ts';

/** Checks every written line; returns how many deliveries they ask for. */
export function writtenDeliveries(facts: Facts, findings: Findings): number {
  let asked = 0;
  const arrived = new Map<string, ReadonlyMap<number, DeliveryEvent>>();
  for (const line of facts.plan.topology.deliveries) {
    for (const message of messagesNamed(facts, line.message)) {
      asked++;
      const lane = laneOf(line, message);
      if (!arrived.has(lane)) arrived.set(lane, byMessage(facts, lane));
      judgeLine(facts, findings, line, message, arrived.get(lane)?.get(message.number));
    }
  }
  return asked;
}

function messagesNamed(facts: Facts, name: string): PlannedMessage[] {
  for (const [id, { step }] of facts.steps) {
    if (step.kind !== 'send' || step.as !== name) continue;
    const { first, count } = facts.plan.messagesOf.get(id) ?? { first: 0, count: 0 };
    return facts.plan.messages.slice(first, first + count);
  }
  return [];
}

function laneOf(line: DeliveryExpect, message: PlannedMessage): string {
  const bus = busOfMaster(line.to);
  return bus === undefined ? line.to : defaultRoute(message.from, bus);
}

function byMessage(facts: Facts, lane: string): ReadonlyMap<number, DeliveryEvent> {
  const deliveries = facts.laneOf.get(lane)?.deliveries ?? [];
  return new Map(
    [...deliveries].filter((d) => !d.fence && d.message !== null).map((d) => [d.message as number, d]),
  );
}

function judgeLine(
  facts: Facts,
  findings: Findings,
  line: DeliveryExpect,
  message: PlannedMessage,
  delivery: DeliveryEvent | undefined,
): void {
  const add = (summary: string, expected: string, observed: string) =>
    findings.add('written', `${line.place.file}:${line.place.line}`, () => ({
      summary,
      expected,
      observed,
      step: message.step,
      place: line.place,
      message: message.name,
    }));
  // After a cut, `recipients` decides which copies must have come.
  const due = facts.trace.cut === undefined;
  if (!delivery && due)
    add(`${line.to} did not get ${message.name}`, line.to, list(observedLanes(facts, message)));
  const wrong = delivery && differences(facts, line, message, delivery)[0];
  if (wrong) add(`${line.to} got ${message.name} with another ${wrong.what}`, wrong.expected, wrong.observed);
}

function differences(facts: Facts, line: DeliveryExpect, message: PlannedMessage, d: DeliveryEvent) {
  const want = line.from === undefined ? undefined : facts.addresses.get(line.from);
  const sender = partyOf(message.from);
  return [
    {
      what: 'sender',
      expected: line.from && `${line.from} (${want ?? 'no address'})`,
      observed: `${sender} (${d.from})`,
      same: want === d.from,
    },
    { what: 'number of descriptors', ...same(line.fds, d.fds) },
    { what: 'uid', ...same(line.credentials?.uid, d.credentials?.uid) },
    { what: 'gid', ...same(line.credentials?.gid, d.credentials?.gid) },
  ].filter((x): x is typeof x & { expected: string } => x.expected !== undefined && !x.same);
}

const same = (expected: number | undefined, observed: number | undefined) => ({
  expected: expected?.toString(),
  observed: observed?.toString() ?? 'none',
  same: expected === observed,
});
