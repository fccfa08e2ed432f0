// SPDX-License-Identifier: MIT
/** Runs written down by hand: who sent what when, and what each lane got. What is not said is as it should be. */

import type { Plan } from '../../../../runner/plan/plan.ts';
import { clientOf, rowOf } from '../../../../runner/topology/faults.ts';
import { acceptedLane, masterOf } from '../../../../runner/topology/lane.ts';
import { faults } from '../../../../runner/topology/steps.ts';
import { addressOf, LENGTH, planOf, uidOf } from './plan-of-story.ts';
import type { Got, Mutable, OpenDelivery, OpenTrace, Run, Story } from './story.ts';

/** Makes a run of a story. */
export function makeRun(story: Story): Run {
  const plan = planOf(story);
  const deliveries = new Map<string, OpenDelivery[]>();
  for (const [lane, log] of Object.entries(story.lanes)) {
    deliveries.set(
      lane,
      log.map((got, position) => delivery(plan, story, lane, got, position)),
    );
  }
  const trace: OpenTrace = {
    sends: story.sent.map((s, message) => ({
      agent: s.from,
      message,
      t0: s.t0,
      ...(s.t1 === undefined ? {} : { t1: s.t1 }),
      ...(s.error === undefined ? {} : { error: s.error }),
    })),
    deliveries,
    pipes: pipesOf(story, deliveries),
    attaches: plan.topology.clients.map((c, i) => ({
      client: c.name,
      bus: c.bus,
      address: addressOf(i),
      peer: addressOf(i),
      joined: c.join,
      credentials: { pid: pidFor(plan, c.name, masterOf(c.bus)), uid: uidOf(i), gid: uidOf(i) },
      pid: 100 + i,
      pidNamespace: c.node,
    })),
    processes: plan.agents.map((a, i) => ({
      agent: a.name,
      pid: a.role === 'master' ? 10 + i : pidOf(plan, a.name),
      pidNamespace: a.node,
    })),
    ends: endsOf(plan),
    steps: (story.steps ?? []).map((s) => ({ step: s.id, t0: 0, t1: 1e9 })),
    exits: plan.agents.map((a) => ({ agent: a.name, code: 0, signal: null, wanted: true })),
    kernel: [],
    fences: fencesOf(plan, deliveries),
    socketsLeft: 0,
  };
  return { plan, trace };
}

const pidOf = (plan: Mutable<Plan>, agent: string): number => {
  const i = plan.topology.clients.findIndex((c) => c.name === agent);
  return i >= 0 ? 100 + i : 10 + plan.agents.findIndex((a) => a.name === agent);
};

function pidFor(plan: Mutable<Plan>, sender: string, receiver: string): number {
  const node = (agent: string) => plan.agents.find((a) => a.name === agent)?.node;
  return node(sender) === node(receiver) ? pidOf(plan, sender) : 0;
}

function delivery(plan: Mutable<Plan>, story: Story, lane: string, got: Got, position: number): OpenDelivery {
  const fence = got.name.startsWith('fence');
  const number = fence ? Number(got.name.slice(5)) : story.sent.findIndex((s) => s.name === got.name);
  const receiver = lane.split('@')[0] as string;
  const bus = plan.agents.find((a) => a.name === receiver)?.bus ?? 'b';
  const from = fence ? masterOf(bus) : (story.sent[number]?.from ?? 'nobody');
  const client = plan.topology.clients.findIndex((c) => c.name === from);
  const uid = client < 0 ? 0 : uidOf(client);
  return {
    ...{ lane, position, t: got.t, message: number, fence, length: LENGTH, intact: true, lost: 0 },
    ...(got.sequence === undefined ? {} : { sequence: got.sequence }),
    from: client < 0 ? '0000/000000000000' : addressOf(client),
    truncated: false,
    controlTruncated: false,
    credentials: { pid: pidFor(plan, from, receiver), uid, gid: uid },
    fds: fence ? 0 : (story.sent[number]?.fds ?? 0),
  };
}

/** The master meets the end of each client that a fault ends, and a client that of its place on the bus. */
function endsOf({ topology }: Mutable<Plan>): OpenTrace['ends'] {
  return [...faults(topology.steps)].flatMap(({ action }) => {
    const client = topology.clients.find(({ name }) => name === clientOf(action));
    const { ends } = rowOf(action);
    if (client === undefined || ends === undefined) return [];
    const accepted = acceptedLane(client.bus, client.name);
    const lanes = ends === 'place' ? [accepted, client.name] : [accepted];
    return lanes.map((lane) => ({ lane, t: 1e9, why: 'eof' as const }));
  });
}

/** Every fence that some lane got was sent to all of that lane's bus. */
function fencesOf(
  plan: Mutable<Plan>,
  deliveries: ReadonlyMap<string, readonly OpenDelivery[]>,
): OpenTrace['fences'] {
  const { clients } = plan.topology;
  return plan.topology.buses.flatMap(({ name: bus }) => {
    const lanes = clients.filter((c) => c.bus === bus && c.join).map((c) => c.name);
    const got = lanes.flatMap((l) => deliveries.get(l) ?? []).filter((d) => d.fence);
    return [...new Set(got.map((d) => d.message as number))].map((number) => ({
      bus,
      number,
      sender: masterOf(bus),
      lanes,
    }));
  });
}

function pipesOf(story: Story, deliveries: ReadonlyMap<string, readonly OpenDelivery[]>): OpenTrace['pipes'] {
  return story.sent.flatMap((s, message) =>
    Array.from({ length: s.fds ?? 0 }, (_, index) => ({
      ...{ agent: s.from, message, index, eof: true },
      tokens: [...deliveries]
        .filter(([, log]) => log.some((d) => !d.fence && d.message === message))
        .map(([lane]) => lane),
    })),
  );
}

/** Positions as the agents count them, after a log was changed. */
export function renumber(log: OpenDelivery[]): void {
  log.forEach((d, i) => {
    d.position = i;
  });
}
