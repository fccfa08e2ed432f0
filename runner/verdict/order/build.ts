// SPDX-License-Identifier: MIT
/**
 * Builds one graph of everything that says "this came before that": lanes, kernel numbers, program order, causes, time.
 */

import type { SendEvent } from '../../trace/trace.ts';
import { addChain, type Beginning, type Over } from './chain.ts';
import { Graph, rank } from './graph.ts';
import { deliveryAt, type History } from './history.ts';

const LANE = rank('lane');
const SEQUENCE = rank('sequence');
const SESSION = rank('session');
const CAUSAL = rank('causal');
const REALTIME = rank('realtime');

export interface Before {
  readonly graph: Graph;
  /** Number of agents that sent at least twice, and of "received before it sent" pairs in the graph. */
  readonly sessions: number;
  readonly causes: number;
}

/** `bySequence`: for each bus, its nodes in the order of the kernel's numbers. */
export function build(history: History, bySequence: readonly (readonly number[])[]): Before {
  const graph = new Graph(history.messages + history.fences.length);
  for (const { nodes } of history.lanes) {
    for (let i = 1; i < nodes.length; i++) graph.addEdge(nodes[i - 1] as number, nodes[i] as number, LANE);
  }
  for (const nodes of bySequence) {
    for (let i = 1; i < nodes.length; i++)
      graph.addEdge(nodes[i - 1] as number, nodes[i] as number, SEQUENCE);
  }
  const sends = history.facts.trace.sends.filter(
    (s) => s.error === undefined && s.message < history.messages,
  );
  sends.sort((a, b) => a.t0 - b.t0 || a.message - b.message);
  const counts = addAgents(graph, history, sends);
  addUnreturned(graph, history, sends);
  addRealTime(graph, history, sends);
  return { graph, ...counts };
}

const starts = (sends: readonly SendEvent[]): Beginning[] => sends.map((s) => ({ node: s.message, t: s.t0 }));

const byTime = (a: Over, b: Over): number => a.t - b.t || (a.place ?? 0) - (b.place ?? 0);

/** Adds what each process had sent and received before each of its sends. */
function addAgents(
  graph: Graph,
  history: History,
  sends: readonly SendEvent[],
): { sessions: number; causes: number } {
  const counts = { sessions: 0, causes: 0 };
  const received = lanesByAgent(history);
  for (const [agent, own] of groupByAgent(sends)) {
    const sent = own.flatMap((s, place): Over[] =>
      s.t1 === undefined ? [] : [{ node: s.message, t: s.t1, label: SESSION, place }],
    );
    if (own.length > 1) counts.sessions++;
    addChain(graph, starts(own), sent.sort(byTime));
    const causes = (received.get(agent) ?? []).flatMap((lane) => causesOf(history, lane, own));
    counts.causes += causes.filter(({ ofMessage }) => ofMessage).length;
    addChain(graph, starts(own), causes.sort(byTime));
  }
  return counts;
}

/** The messages of one step are sent one after another, also those whose sends did not return. */
function addUnreturned(graph: Graph, { facts }: History, sends: readonly SendEvent[]): void {
  const stepOf = (send: SendEvent) => facts.plan.messages[send.message]?.step;
  const inOrder = sends.toSorted((a, b) => a.message - b.message);
  for (let i = 1; i < inOrder.length; i++) {
    const [before, next] = [inOrder[i - 1] as SendEvent, inOrder[i] as SendEvent];
    const timed = before.t1 !== undefined && next.t1 !== undefined;
    if (!timed && stepOf(before) === stepOf(next)) graph.addEdge(before.message, next.message, SESSION);
  }
}

function groupByAgent(sends: readonly SendEvent[]): Map<string, SendEvent[]> {
  const groups = new Map<string, SendEvent[]>();
  for (const send of sends) {
    const group = groups.get(send.agent);
    if (group) group.push(send);
    else groups.set(send.agent, [send]);
  }
  return groups;
}

/** Agent → indexes of its lanes in the history. */
function lanesByAgent(history: History): Map<string, number[]> {
  const places = new Map<string, number[]>();
  history.lanes.forEach(({ lane }, i) => {
    const own = places.get(lane.agent);
    if (own) own.push(i);
    else places.set(lane.agent, [i]);
  });
  return places;
}

interface Cause extends Over {
  /** Whether a message of the file was received in between, not only fences. */
  readonly ofMessage: boolean;
}

/** The last delivery before each send of the same agent: the lane's order puts the others before that. */
function causesOf(history: History, lane: number, sends: readonly SendEvent[]): Cause[] {
  const order = history.lanes[lane] as History['lanes'][number];
  const causes: Cause[] = [];
  let next = 0;
  for (const { t0 } of sends) {
    const before = next;
    while (next < order.nodes.length && deliveryAt(order, next).t < t0) next++;
    if (next === before) continue;
    const ofMessage = order.nodes.subarray(before, next).some((node) => node < history.messages);
    const node = order.nodes[next - 1] as number;
    causes.push({ node, t: deliveryAt(order, next - 1).t, label: CAUSAL, ofMessage });
  }
  return causes;
}

/** A message is done when its send has returned or somebody has it, whichever is known earlier. */
function addRealTime(graph: Graph, history: History, sends: readonly SendEvent[]): void {
  const through = new Float64Array(history.messages).fill(Infinity);
  for (const s of sends) if (s.t1 !== undefined) through[s.message] = s.t1;
  for (const order of history.lanes) {
    for (let i = 0; i < order.nodes.length; i++) {
      const node = order.nodes[i] as number;
      const { t } = deliveryAt(order, i);
      if (node < history.messages && t < (through[node] as number)) through[node] = t;
    }
  }
  const overs = sends
    .map((s): Over => ({ node: s.message, t: Math.max(s.t0, through[s.message] as number), label: REALTIME }))
    .filter((o) => o.t < Infinity);
  const fences = history.fences.map(({ t0: t }, i): Beginning => ({ node: history.messages + i, t }));
  const beginnings = [...starts(sends), ...fences].sort((a, b) => a.t - b.t);
  addChain(graph, beginnings, overs.sort(byTime));
}
