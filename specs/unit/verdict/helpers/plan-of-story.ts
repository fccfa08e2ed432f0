// SPDX-License-Identifier: MIT
/** The plan of a story. */

import type { AgentPlan, Plan, PlannedMessage } from '../../../../runner/plan/plan.ts';
import type { Prediction } from '../../../../runner/predict/index.ts';
import { masterOf } from '../../../../runner/topology/lane.ts';
import type { ClientSpec, Sender, SendStep, Step, Topology } from '../../../../runner/topology/topology.ts';
import type { Mutable, Sent, Story } from './story.ts';

const FILE = 'test.topo.yaml';
export const LENGTH = 64;
export const place = (line: number) => ({ file: FILE, line, column: 5 });
export const uidOf = (i: number): number => 1000 + i;
export const addressOf = (i: number): string => `0000/${(i + 1).toString(16).padStart(12, '0')}`;

/** What the checks see of the model is in the messages. */
const NOTHING: Prediction = {
  of: () => undefined,
  before: () => [],
  mayBeEvicted: () => false,
  findings: [],
  unjudged: new Map(),
};

/** Messages, steps and parties, as they were told. */
export function planOf(story: Story): Mutable<Plan> {
  const clients = story.clients.map(
    (c, i): ClientSpec => ({
      ...{ bus: 'b', node: 'n1', join: true, eavesdrop: false, groups: [], receive: 'auto', ...c },
      user: { uid: uidOf(i), gid: uidOf(i) },
      addresses: [],
      admitted: true,
      place: place(i + 1),
    }),
  );
  const buses = [...new Set(clients.map((c) => c.bus))];
  const agents: AgentPlan[] = [
    ...buses.map(
      (bus): AgentPlan => ({
        name: masterOf(bus),
        node: 'n0',
        role: 'master',
        bus,
        user: { uid: 0, gid: 0 },
      }),
    ),
    ...clients.map(({ name, node, bus, user }): AgentPlan => ({ name, node, role: 'client', bus, user })),
  ];
  const messages = story.sent.map((s, i) => message(s, i));
  const steps = stepsOf(story, messages);
  return {
    topology: topology(clients, buses, [...steps, ...(story.steps ?? [])]),
    seed: 1,
    agents,
    messages,
    messagesOf: new Map(
      steps.map((s) => [s.id, { first: messages.findIndex((m) => m.step === s.id), count: s.count }]),
    ),
    prediction: NOTHING,
    contradictions: new Map(),
  } as Mutable<Plan>;
}

function topology(
  clients: readonly ClientSpec[],
  buses: readonly string[],
  steps: readonly Step[],
): Topology {
  const nodes = [...new Set(['n0', ...clients.map((c) => c.node)])].map((name) => ({ name, env: {} }));
  return {
    name: 'test',
    file: FILE,
    nodes,
    buses: buses.map((name) => ({
      ...{ name, path: `/run/bus/${name}`, protocol: 'none', overflow: 'block', place: place(1) },
      master: { node: 'n0', admit: ['*'], deny: [] },
    })),
    groups: [],
    clients,
    steps,
    budgets: [],
    deliveries: [],
  };
}

const senderOf = (from: string): Sender =>
  from.endsWith('.master') ? { kind: 'master', bus: from.slice(0, -7) } : { kind: 'client', name: from };

/** A sender that gives no step sends each message in a step of its own. */
function message(s: Sent, number: number): PlannedMessage {
  const step = s.step ?? String(number + 1);
  return {
    ...{ number, name: s.name, step, from: senderOf(s.from), length: LENGTH, fds: s.fds ?? 0 },
    expected: s.expectedError
      ? { kind: 'error', errno: s.expectedError }
      : { kind: 'delivered', lanes: [...s.to] },
    place: place(10 + Number.parseInt(step, 10)),
  };
}

function stepsOf(story: Story, messages: readonly PlannedMessage[]): SendStep[] {
  const steps = new Map<string, SendStep>();
  messages.forEach((m, i) => {
    const count = (steps.get(m.step)?.count ?? 0) + 1;
    const to = story.sent[i]?.destination ?? { kind: 'group', name: 'g' };
    const rest = { fds: [], nonblocking: false, as: m.name, expect: {}, place: m.place };
    steps.set(m.step, { kind: 'send', id: m.step, from: m.from, to, count, ...rest });
  });
  return [...steps.values()];
}
