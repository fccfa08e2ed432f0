// SPDX-License-Identifier: MIT
/** The input of the order checks: messages and fences as nodes, lanes as lists of nodes. */

import type { DeliveryEvent } from '../../trace/trace.ts';
import { busOf, type Facts, type LaneFacts, messageOf } from '../facts.ts';

export interface LaneOrder {
  readonly lane: LaneFacts;
  /** First copies only: second ones are failures of `recipients`, and would contradict every order. */
  readonly nodes: Int32Array;
  /** Index into `lane.deliveries` of each node. */
  readonly at: Int32Array;
}

export interface FenceNode {
  readonly bus: string;
  readonly number: number;
  /** It was sent after this time. */
  readonly t0: number;
}

export interface History {
  readonly facts: Facts;
  readonly lanes: readonly LaneOrder[];
  /** Number of messages. A message's node is its number; the fences come after the messages. */
  readonly messages: number;
  readonly fences: readonly FenceNode[];
}

/** Reduces a run to the order of each lane. */
export function historyOf(facts: Facts): History {
  const fences = new Fences(facts);
  const seen = new Seen(facts.plan.messages.length);
  const lanes = facts.lanes.map((lane) => orderOf(facts, lane, fences, seen));
  return { facts, lanes, messages: facts.plan.messages.length, fences: fences.list };
}

/** Number of messages of the file in a lane. Fences are the runner's own, and prove nothing that the file asks for. */
export const messagesIn = ({ messages }: History, { nodes }: LaneOrder): number =>
  nodes.reduce((sum, node) => sum + (node < messages ? 1 : 0), 0);

class Fences {
  readonly list: FenceNode[] = [];
  readonly #nodes = new Map<string, number>();
  readonly #first: number;
  readonly #began: ReadonlyMap<string, number>;

  constructor({ plan, trace }: Facts) {
    this.#first = plan.messages.length;
    this.#began = new Map(trace.fences.map((f) => [`${f.bus} ${f.number}`, f.t0 ?? -Infinity]));
  }

  /** The node of a fence. On another bus than its own it has another node. */
  node(bus: string, number: number, from: string): number {
    const key = `${bus} ${number} ${from}`;
    let node = this.#nodes.get(key);
    if (node === undefined) {
      const t0 = this.#began.get(`${bus} ${number}`) ?? -Infinity;
      node = this.#first + this.list.push({ bus, number, t0 }) - 1;
      this.#nodes.set(key, node);
    }
    return node;
  }
}

/** Nodes of the current lane that were seen. It needs no set per lane, since a run may have millions of copies. */
class Seen {
  readonly #messages: Int32Array;
  readonly #fences = new Set<number>();
  #lane = 0;

  constructor(messages: number) {
    this.#messages = new Int32Array(messages);
  }

  nextLane(): void {
    this.#lane++;
    this.#fences.clear();
  }

  /** Returns whether the node is new in this lane. */
  add(node: number): boolean {
    if (node >= this.#messages.length) {
      const before = this.#fences.size;
      return this.#fences.add(node).size > before;
    }
    if (this.#messages[node] === this.#lane) return false;
    this.#messages[node] = this.#lane;
    return true;
  }
}

function orderOf(facts: Facts, lane: LaneFacts, fences: Fences, seen: Seen): LaneOrder {
  const nodes = new Int32Array(lane.deliveries.length);
  const at = new Int32Array(lane.deliveries.length);
  seen.nextLane();
  let n = 0;
  let i = -1;
  for (const d of lane.deliveries) {
    i++;
    const node = nodeOf(facts, lane, d, fences);
    if (node < 0 || !seen.add(node)) continue;
    nodes[n] = node;
    at[n++] = i;
  }
  return { lane, nodes: nodes.subarray(0, n), at: at.subarray(0, n) };
}

/** -1 if it has no place in this bus's sequence: an unknown message, or one of another bus. */
function nodeOf(facts: Facts, lane: LaneFacts, d: DeliveryEvent, fences: Fences): number {
  if (d.fence) return d.message === null ? -1 : fences.node(lane.bus, d.message, d.from);
  const message = messageOf(facts, d);
  return message && busOf(facts, message) === lane.bus ? message.number : -1;
}

/** A node's name in reports. */
export function nameOf(history: History, node: number): string {
  const message = history.facts.plan.messages[node];
  return message ? message.name : `fence ${history.fences[node - history.messages]?.number}`;
}

/** The delivery of a node, by its index in the lane. */
export const deliveryAt = (order: LaneOrder, i: number): DeliveryEvent =>
  order.lane.deliveries.at(order.at[i] as number) as DeliveryEvent;
