// SPDX-License-Identifier: MIT
/** Plan and trace, indexed once for all checks. */

import { type Address, MASTER } from '../common/address.ts';
import type { Plan, PlannedMessage } from '../plan/plan.ts';
import type { Unjudged } from '../predict/index.ts';
import { type Lane, masterOf, parseLane } from '../topology/lane.ts';
import { type Visit, walk } from '../topology/steps.ts';
import type { ClientSpec } from '../topology/topology.ts';
import type { Deliveries, DeliveryEvent, SendEvent, Trace } from '../trace/trace.ts';
import { type Reader, readsUntil } from './steps.ts';

export interface LaneFacts {
  readonly name: Lane;
  readonly bus: string;
  /** The name of the process that reads it. */
  readonly agent: string;
  /** The client whose socket it is, or for which the socket was accepted. */
  readonly client: string;
  readonly accepted: boolean;
  readonly deliveries: Deliveries;
  /** Messages of this top-level step and later ones may still be in the queue, since the reader stopped or died. */
  readonly readsUntil: number;
}

export type Outcome = 'unsent' | 'ok' | 'failed' | 'pending';

export interface Facts {
  readonly plan: Plan;
  readonly trace: Trace;
  readonly lanes: readonly LaneFacts[];
  readonly laneOf: ReadonlyMap<Lane, LaneFacts>;
  /** By message number. */
  readonly sends: readonly (SendEvent | undefined)[];
  readonly clients: ReadonlyMap<string, ClientSpec>;
  readonly steps: ReadonlyMap<string, Visit>;
  /** Prefix-0 address of each agent, if it is known. */
  readonly addresses: ReadonlyMap<string, Address>;
  /** Agents that ended although nobody asked them to. */
  readonly crashed: ReadonlySet<string>;
  /** Indexes of top-level steps of whose messages the model does not know who must get them: they count as unchecked. */
  readonly unjudged: ReadonlySet<number>;
}

/** Indexes a run in linear time. */
export function collect(plan: Plan, trace: Trace): Facts {
  const clients = new Map(plan.topology.clients.map((c) => [c.name, c]));
  const crashed = new Set(trace.exits.filter((e) => !e.wanted).map((e) => e.agent));
  const steps = new Map([...walk(plan.topology.steps)].map((visit) => [visit.step.id, visit]));
  const buses = new Map(plan.agents.map(({ name, bus }) => [name, bus]));
  const lanes = laneNames(plan, trace).map((name) =>
    laneFacts(name, { trace, buses, clients, crashed, steps }),
  );
  const sends: (SendEvent | undefined)[] = new Array(plan.messages.length);
  for (const send of trace.sends) if (send.message < sends.length) sends[send.message] = send;
  return {
    plan,
    trace,
    lanes,
    laneOf: new Map(lanes.map((l) => [l.name, l])),
    sends,
    clients,
    steps,
    addresses: addressesOf(plan, trace),
    crashed,
    unjudged: new Set([...plan.prediction.unjudged.keys()].map((id) => steps.get(id)?.top ?? 0)),
  };
}

/** Lanes that received something or should have. */
function laneNames(plan: Plan, trace: Trace): Lane[] {
  const names = new Set<Lane>(trace.deliveries.keys());
  const done = new Set<readonly Lane[]>();
  for (const { expected } of plan.messages) {
    if (expected.kind !== 'delivered' || done.has(expected.lanes)) continue;
    done.add(expected.lanes);
    for (const lane of [...expected.lanes, ...(expected.may ?? [])]) names.add(lane);
  }
  return [...names];
}

function laneFacts(
  name: Lane,
  known: Pick<Facts, 'trace' | 'clients' | 'crashed' | 'steps'> & {
    readonly buses: ReadonlyMap<string, string>;
  },
): LaneFacts {
  const { agent, client, accepted } = parseLane(name);
  const bus = known.buses.get(agent) ?? known.clients.get(client)?.bus ?? '';
  const manual = !accepted && known.clients.get(client)?.receive === 'manual';
  return {
    name,
    bus,
    agent,
    client,
    accepted,
    deliveries: known.trace.deliveries.get(name) ?? [],
    readsUntil: known.crashed.has(agent) ? 0 : untilOf({ agent, manual }, known),
  };
}

/** The last steps of a run that was cut may not be settled, unless all queues were read empty afterwards. */
function untilOf(reader: Reader, { trace, steps }: Pick<Facts, 'trace' | 'steps'>): number {
  const cut = trace.cut !== undefined && trace.readOut === undefined;
  const until = readsUntil(reader, steps.values(), cut);
  if (!cut) return until;
  const played = new Set(trace.steps.map((s) => s.step));
  const open = [...steps].filter(([id]) => !played.has(id)).map(([, { top }]) => top);
  return Math.min(until, ...open);
}

function addressesOf(plan: Plan, trace: Trace): Map<string, Address> {
  const addresses = new Map<string, Address>(plan.topology.buses.map((b) => [masterOf(b.name), MASTER]));
  for (const attach of trace.attaches) addresses.set(attach.client, attach.address);
  return addresses;
}

/** The bus that a message is on. */
export function busOf(facts: Facts, message: PlannedMessage): string {
  return message.from.kind === 'master'
    ? message.from.bus
    : (facts.clients.get(message.from.name)?.bus ?? '');
}

/** The outcome of a send. */
export function outcomeOf(facts: Facts, number: number): Outcome {
  const send = facts.sends[number];
  if (send === undefined) return 'unsent';
  if (send.error !== undefined) return 'failed';
  return send.t1 === undefined ? 'pending' : 'ok';
}

/** The planned message of a delivery; undefined for fences, and for messages that this run did not plan. */
export function messageOf(facts: Facts, delivery: DeliveryEvent): PlannedMessage | undefined {
  return delivery.fence || delivery.message === null ? undefined : facts.plan.messages[delivery.message];
}

/** The lanes that must get a message. */
export const expectedLanes = (message: PlannedMessage): readonly Lane[] =>
  message.expected.kind === 'delivered' ? message.expected.lanes : [];

/** The lanes that may get it as well. */
export const allowedLanes = (message: PlannedMessage): readonly Lane[] =>
  message.expected.kind === 'delivered' ? (message.expected.may ?? []) : [];

/** Whether the model knows enough of what may become of a message to check it. */
export const isChecked = (facts: Facts, message: PlannedMessage): boolean =>
  !facts.unjudged.has(topOf(facts, message));

/** What was not checked for that reason, in words; undefined if there is nothing. */
export function whyUnchecked({ plan: { prediction, topology } }: Facts): string | undefined {
  const step = topology.steps.find(({ id }) => prediction.unjudged.has(id));
  if (step === undefined) return undefined;
  const { file, line } = step.place;
  const { why, lasts } = prediction.unjudged.get(step.id) as Unjudged;
  return `${lasts ? 'from ' : ''}${file}:${line}${lasts ? ' on' : ''}, ${why}`;
}

/** Index of a message's top-level step. */
export const topOf = (facts: Facts, message: PlannedMessage): number =>
  facts.steps.get(message.step)?.top ?? 0;
