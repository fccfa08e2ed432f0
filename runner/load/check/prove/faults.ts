// SPDX-License-Identifier: MIT
/**
 * Faults that change how messages are delivered although nothing meets them while they last: no run can show their
 * effect.
 */
import { type Address, groupAddress, prefixNumber } from '../../../common/address.ts';
import { formatPath } from '../../../common/diagnostic.ts';
import { parseRule } from '../../../dbus/index.ts';
import { lanesOf, type Prediction } from '../../../predict/index.ts';
import {
  busOf,
  type FaultAction,
  oppositeOf,
  readingEffect,
  rowOf,
  subjectOf,
  type Verb,
} from '../../../topology/faults.ts';
import { parseLane, partyOf } from '../../../topology/lane.ts';
import { areConcurrent, type Visit, walk } from '../../../topology/steps.ts';
import type { FaultStep, SendStep, Step, Topology } from '../../../topology/topology.ts';
import { type Places, pathOf } from '../places.ts';
import { busOfSender } from './parties.ts';

export function checkFaultsMet(places: Places, prediction: Prediction, topology: Topology): void {
  const busOfClient = busesOf(topology);
  // A fault of a node consists of one fault per process; it is enough if a message meets one of them.
  const written = Map.groupBy(spansIn(prediction, topology), ({ fault }) =>
    formatPath(pathOf(places, fault.step)),
  );
  for (const spans of written.values()) {
    const [first] = spans;
    if (first === undefined || spans.some(({ isMet }) => isMet)) continue;
    const { fault, end } = first;
    const until = end === undefined ? 'comes after it' : 'is sent before it is undone';
    const { action } = fault.step;
    places.problems.warning(pathOf(places, fault.step), {
      code: 'vacuous',
      message: `this fault has no effect: no message ${which(action, busOfClient)} ${until}`,
      hint: end ? 'Send one beside it, in `parallel`, or remove it.' : 'Send one after it, or remove it.',
    });
  }
}

/** The messages in which its effect would show. */
function which(action: FaultAction, busOfClient: BusOfClient): string {
  const party = partyOf(subjectOf(action));
  const effect = readingEffect(action);
  if (effect === 'stops') return `that reaches "${party}"`;
  if (effect === 'pauses' && !isOfMaster(action)) return `that "${party}" sends or gets`;
  const whither = 'address' in action ? `to ${action.address} or its group ` : '';
  return `${whither}on bus "${busOf(action, busOfClient)}"`;
}

type Placed<S extends Visit['step'] = Visit['step']> = Visit<S> & { readonly order: number };

/** A fault, and the fault that takes it back; `end` is undefined if it lasts. */
interface Span {
  readonly fault: Placed<FaultStep>;
  readonly end: Placed<FaultStep> | undefined;
  readonly isMet: boolean;
}

/** Walks backwards, so that the next step that shows something and the next fault are known at each step. */
function spansIn(prediction: Prediction, topology: Topology): Span[] {
  const busOfClient = busesOf(topology);
  const visits = [...walk(topology.steps)].map((visit, order) => ({ ...visit, order }));
  const topicsOfStep = topicsIn(prediction, topology);
  const met = visits.flatMap((visit) =>
    topicsOfStep(visit.step).map((topic) => ({ visit, key: `${visit.top} ${topic}` })),
  );
  const showing = Map.groupBy(met, ({ key }) => key);
  const nextShowing = new Map<string, number>();
  const nextAbout = new Map<string, number>();
  const nextSame = new Map<string, Placed<FaultStep>>();
  const spans: Span[] = [];
  for (const visit of visits.toReversed()) {
    const { step, order } = visit;
    for (const topic of topicsOfStep(step)) nextShowing.set(topic, order);
    if (step.kind === 'blocked' || step.kind === 'hangup') nextAbout.set(step.client, order);
    if (!isFault(visit)) continue;
    const { action, id } = visit.step;
    const topics = topicsOfFault(action, busOf(action, busOfClient));
    const party = partyOf(subjectOf(action));
    const opposite = oppositeOf(action);
    const end = opposite && nextSame.get(keyOf(opposite));
    const beside = (other: Placed | undefined) =>
      topics.flatMap((topic) => (showing.get(`${other?.top} ${topic}`) ?? []).map(({ visit }) => visit));
    const isMet =
      topics.some((topic) => isBefore(nextShowing.get(topic), end)) ||
      (CONDITIONS.has(action.fault) && isBefore(nextAbout.get(party), end)) ||
      beside(visit).some((other) => areConcurrent(other, visit)) ||
      (end !== undefined && beside(end).some((other) => other.order > order && areConcurrent(other, end)));
    // If a rule is added for good, rules.ts checks whether a matching message comes.
    const isOther = action.fault === 'add-match' && end === undefined;
    if (rowOf(action).shows === 'in messages' && !id.endsWith('.end') && !isOther)
      spans.push({ fault: visit, end, isMet });
    nextAbout.set(party, order);
    nextSame.set(keyOf(action), visit);
  }
  return spans.reverse();
}

/** Verbs that other faults and expectations may depend on: a party may have to be paused, or to have joined. */
const CONDITIONS: ReadonlySet<Verb> = new Set(['pause', 'join']);

const isFault = (visit: Placed): visit is Placed<FaultStep> => visit.step.kind === 'fault';

const isBefore = (next: number | undefined, end: Placed | undefined): boolean =>
  next !== undefined && (end === undefined || next < end.order);

const isOfMaster = (action: FaultAction): boolean => subjectOf(action).kind === 'master';

type BusOfClient = (client: string) => string;

function busesOf({ clients }: Topology): BusOfClient {
  const buses = new Map(clients.map(({ name, bus }) => [name, bus]));
  return (client) => buses.get(client) ?? '';
}

/**
 * The topics of a step, by which it meets faults. Those of a send are its bus, the address or group that it names, who
 * sends and reads it; that of an expected hang-up is whose end is noticed.
 */
function topicsIn(prediction: Prediction, topology: Topology): (step: Step) => string[] {
  const topicsOfSend = topicsOfSends(prediction, topology);
  return (step) => {
    if (step.kind === 'hangup') return [noticing(step.client)];
    return step.kind === 'send' ? topicsOfSend(step) : [];
  };
}

function topicsOfSends(prediction: Prediction, topology: Topology): (send: SendStep) => string[] {
  const busOf = busOfSender(topology);
  const prefixes = new Map(topology.groups.map(({ name, prefix }) => [name, prefix]));
  const known = new Map<SendStep, string[]>();
  return (send) => {
    const { from, to } = send;
    const bus = busOf(from);
    const named = () => {
      if (to.kind === 'address') return [topic(bus, to.address)];
      return to.kind === 'group' ? [topic(bus, groupAddress(prefixes.get(to.name) ?? 0))] : [];
    };
    const readers = () => [...lanesOf(prediction, send)].map((lane) => reading(parseLane(lane).agent));
    const topics = known.get(send) ?? [bus, ...named(), sending(partyOf(from)), ...new Set(readers())];
    known.set(send, topics);
    return topics;
  };
}

/**
 * A fault with an address concerns sends to that address and to its group, one of a reader what reaches it, and others
 * concern every send on the bus. A party that is paused does not send either; if it is a master, each message on its bus
 * shows that clients need no master for it. One that stops reading shows that a hang-up is noticed without reading.
 */
function topicsOfFault(action: FaultAction, bus: string): string[] {
  const party = partyOf(subjectOf(action));
  const effect = readingEffect(action);
  if (effect === 'stops') return [reading(party), noticing(party)];
  if (effect === 'pauses' && !isOfMaster(action)) return [reading(party), sending(party)];
  if (!('address' in action)) return [bus];
  const { address } = action;
  return [topic(bus, address), topic(bus, groupAddress(prefixNumber(address)))];
}

const reading = (party: string): string => `read by ${party}`;
const sending = (party: string): string => `sent by ${party}`;
const noticing = (party: string): string => `end of ${party}`;
const topic = (bus: string, address: Address): string => `${bus} ${address}`;

/** Equal for faults that do the same. */
function keyOf(action: FaultAction): string {
  const what = `${action.fault} ${partyOf(subjectOf(action))}`;
  if (action.fault === 'eavesdrop') return `${what} ${action.on}`;
  if (action.fault === 'read') return `${what} ${action.count}`;
  if ('address' in action) return `${what} ${action.address}`;
  if (!('rule' in action)) return what;
  const rule = parseRule(action.rule);
  return `${what} ${'key' in rule ? rule.key : action.rule}`;
}
