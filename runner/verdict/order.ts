// SPDX-License-Identifier: MIT
/**
 * `order.total`, `order.fifo`, `order.causal`: one graph with everything that says "this came before that" has no
 * cycle. If there is a cycle, the broken promise is the weakest one that explains it.
 */

import { count, plural } from '../common/text.ts';
import type { Facts } from './facts.ts';
import { Findings } from './findings.ts';
import { build } from './order/build.ts';
import { behindCycles, components } from './order/cycles.ts';
import { causeInversions, seenBeforeSent, senderInversions } from './order/direct.ts';
import { type Adjacency, type Label, rank } from './order/graph.ts';
import { type History, historyOf, messagesIn } from './order/history.ts';
import { contradiction } from './order/sentences.ts';
import { sequence } from './order/sequence.ts';
import { witness } from './order/witness.ts';
import type { CheckResult } from './verdict.ts';

const TOTAL = [
  'contradiction',
  'sequence-inverted',
  'sequence-differs',
  'sequence-shared',
  'sequence',
  'realtime',
];

/** The three order checks. */
export function order(facts: Facts, simulated: boolean): CheckResult[] {
  const total = new Findings('order.total', TOTAL);
  const fifo = new Findings('order.fifo', ['inverted', 'contradiction']);
  const causal = new Findings('order.causal', ['before-sent', 'inverted', 'contradiction']);
  const history = historyOf(facts);
  const { numbered, chains } = sequence(history, total);
  const { graph, sessions, causes } = build(history, chains);
  senderInversions(history, fifo);
  seenBeforeSent(history, causal);
  const adjacency = graph.index();
  const suspects = behindCycles(adjacency);
  if (suspects.length > 0) blame(history, adjacency, suspects, { total, fifo, causal });
  const perLane = history.lanes.map((lane) => messagesIn(history, lane));
  const lanes = perLane.filter((messages) => messages > 1).length;
  const delivered = perLane.reduce((sum, messages) => sum + messages, 0);
  const numbers = numbered > 0 ? `, ${numbered} ${simulated ? 'simulated' : 'kernel'} numbers` : '';
  const unless = (holds: boolean, reason: string) => (holds ? undefined : reason);
  const deliveries = `${plural(delivered, 'delivery', 'deliveries')} in ${count(lanes, 'lane')}${numbers}`;
  return [
    total.result(delivered, deliveries, unless(lanes > 0, 'no lane got two messages')),
    fifo.result(
      sessions,
      plural(sessions, 'sender'),
      unless(lanes * sessions > 0, 'no sender sent two messages'),
    ),
    causal.result(causes, plural(causes, 'cause'), unless(causes > 0, 'nobody sent after receiving')),
  ];
}

interface Checks {
  readonly total: Findings;
  readonly fifo: Findings;
  readonly causal: Findings;
}

/** Each label, weakest promise first, with the check that a cycle breaks which needs this label. */
const STAGES: readonly (readonly [Label, keyof Checks, kind: string])[] = [
  ['lane', 'total', 'contradiction'],
  ['sequence', 'total', 'sequence'],
  ['session', 'fifo', 'contradiction'],
  ['causal', 'causal', 'contradiction'],
  ['realtime', 'total', 'realtime'],
];

/** Adds labels one by one. A component is blamed on the label that closes it, unless a part of it is blamed already. */
function blame(history: History, graph: Adjacency, suspects: readonly number[], checks: Checks): void {
  const blamed = new Uint8Array(graph.nodes);
  for (const [label, check, kind] of STAGES) {
    for (const component of components(graph, rank(label), suspects)) {
      if (component.some((n) => blamed[n])) continue;
      for (const n of component) blamed[n] = 1;
      addCycle(history, graph, rank(label), component, (step, words) => checks[check].add(kind, step, words));
      if (label === 'lane' || label === 'sequence') causeInversions(history, component, checks.causal);
    }
  }
}

function addCycle(
  history: History,
  graph: Adjacency,
  most: number,
  component: readonly number[],
  add: (step: string | undefined, words: () => ReturnType<typeof contradiction>) => void,
): void {
  const latest = component.reduce((last, n) => (n < history.messages && n > last ? n : last), -1);
  const step = history.facts.plan.messages[latest]?.step;
  add(step, () => contradiction(history, witness(history, graph, most, component)));
}
