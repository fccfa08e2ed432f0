// SPDX-License-Identifier: MIT
/** Describes a cycle of "A before B" in words. */

import { partyOf } from '../../topology/lane.ts';
import { about, clock, some } from '../failure-text.ts';
import type { FailureText } from '../findings.ts';
import { deliveryAt, type History, type LaneOrder, nameOf } from './history.ts';
import type { Hop } from './witness.ts';

/** Describes a contradiction; the failure belongs to the step of its latest message. */
export function contradiction(history: History, cycle: readonly Hop[]): FailureText {
  const numbers = cycle.map((h) => h.from).filter((n) => n < history.messages);
  const message = history.facts.plan.messages[Math.max(...numbers)];
  const names = [...new Set(cycle.map((h) => nameOf(history, h.from)))];
  return {
    summary: summary(names, cycle),
    expected: `one order of ${joined(names)} that agrees with all that was observed`,
    observed: cycle.map((h) => `${nameOf(history, h.from)} before ${nameOf(history, h.to)}`).join('; '),
    ...(message ? about(message) : {}),
    detail: [
      ...cycle.map((h) => sentence(history, h)),
      ...pictures(history, cycle),
      ...sides(history, cycle),
    ],
  };
}

function summary(names: readonly string[], cycle: readonly Hop[]): string {
  const lanes = new Set(cycle.flatMap((h) => (h.lane ? [h.lane.index] : [])));
  if (cycle.every((h) => h.lane)) return `${lanes.size} lanes contradict each other about ${joined(names)}`;
  const why = new Set(cycle.map((h) => h.why));
  if (why.has('realtime')) return `${joined(names)} did not arrive in the order in which they were sent`;
  if (why.has('causal')) return `${joined(names)}: an effect was seen before its cause`;
  if (why.has('session'))
    return `${joined(names)} did not arrive in the order in which their sender sent them`;
  return `${joined(names)}: lanes contradict the kernel's own numbers`;
}

const joined = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

function sentence(history: History, hop: Hop): string {
  const { facts } = history;
  const [a, b] = [nameOf(history, hop.from), nameOf(history, hop.to)];
  const message = facts.plan.messages[hop.to];
  const sender = message ? partyOf(message.from) : '';
  switch (hop.why) {
    case 'lane':
      return `${a} before ${b} at lane ${atLane(history, hop)}`;
    case 'session':
      return `${a} before ${b}: ${sender} sent them in this order`;
    case 'causal':
      return `${a} before ${b}: ${sender} had received ${a} before it sent ${b}`;
    case 'sequence':
      return `${a} before ${b}: the kernel's own numbers say so`;
    default:
      return `${a} before ${b}: ${through(history, hop.from)} ${begun(history, hop.to)}`;
  }
}

function atLane(history: History, { lane }: Hop): string {
  const order = history.lanes[lane?.index ?? 0] as LaneOrder;
  const [from, to] = [deliveryAt(order, lane?.from ?? 0).position, deliveryAt(order, lane?.to ?? 0).position];
  return `${order.lane.name} (positions ${from}, ${to})`;
}

/** Says when a message was done: somebody may have had it before its send returned. */
function through(history: History, node: number): string {
  const t1 = history.facts.sends[node]?.t1 ?? Infinity;
  let first: { lane: string; t: number } | undefined;
  for (const order of history.lanes) {
    const i = order.nodes.indexOf(node);
    if (i < 0) continue;
    const { t } = deliveryAt(order, i);
    if (t < (first?.t ?? t1)) first = { lane: order.lane.name, t };
  }
  if (first) return `${first.lane} had it at ${clock(history.facts, first.t)},`;
  return `its send returned at ${clock(history.facts, t1)},`;
}

function begun(history: History, node: number): string {
  const { facts } = history;
  const t0 = facts.sends[node]?.t0 ?? history.fences[node - history.messages]?.t0 ?? Infinity;
  return `before the send of ${nameOf(history, node)} began at ${clock(facts, t0)}`;
}

/** If two lanes disagree about two messages: which other lanes agree with which. */
function sides(history: History, [first, second]: readonly Hop[]): string[] {
  if (!first?.lane || !second?.lane || first.from !== second.to || first.to !== second.from) return [];
  const [a, b] = [nameOf(history, first.from), nameOf(history, first.to)];
  const lanes = (sign: number) =>
    history.lanes
      .filter(({ nodes }) => nodes.includes(first.from) && nodes.includes(first.to))
      .filter(({ nodes }) => Math.sign(nodes.indexOf(first.to) - nodes.indexOf(first.from)) === sign)
      .map(({ lane }) => lane.name);
  return [`${a} first: ${some(lanes(1))}; ${b} first: ${some(lanes(-1))}`];
}

/** The relevant part of each lane, with one neighbour on either side. */
function pictures(history: History, cycle: readonly Hop[]): string[] {
  const rides = cycle.flatMap((h) => (h.lane ? [h.lane] : []));
  const width = Math.max(0, ...rides.map((r) => (history.lanes[r.index] as LaneOrder).lane.name.length));
  return rides.map(({ index, from, to }) => {
    const order = history.lanes[index] as LaneOrder;
    const places = [from - 1, from, from + 1, to - 1, to, to + 1].filter(
      (p) => p >= 0 && p < order.nodes.length,
    );
    const shown = [...new Set(places)].sort((a, b) => a - b);
    const names = shown.map((p, i) => {
      const name = nameOf(history, order.nodes[p] as number);
      return i > 0 && p > (shown[i - 1] as number) + 1 ? `… ${name}` : name;
    });
    const [head, tail] = [
      (shown[0] ?? 0) > 0 ? '… ' : '',
      (shown.at(-1) ?? 0) < order.nodes.length - 1 ? ' …' : '',
    ];
    return `${order.lane.name.padEnd(width)} │ ${head}${names.join('  ')}${tail}`;
  });
}
