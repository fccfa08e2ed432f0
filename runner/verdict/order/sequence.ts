// SPDX-License-Identifier: MIT
/** Checks the kernel's numbers (BUS_PASSSEQ): rising in every lane, one per message, the same in all lanes. */

import { count } from '../../common/text.ts';
import { about } from '../failure-text.ts';
import type { FailureText, Findings } from '../findings.ts';
import { deliveryAt, type History, type LaneOrder, nameOf } from './history.ts';

export interface Sequence {
  /** Number of deliveries of the file's messages that have a number. */
  readonly numbered: number;
  /** For each bus, its nodes in the order of their numbers; empty if the numbers contradict each other. */
  readonly chains: readonly (readonly number[])[];
}

/** Checks the numbers; adds failures to `order.total`. */
export function sequence(history: History, findings: Findings): Sequence {
  const numbers = new Float64Array(history.messages + history.fences.length).fill(-1);
  let numbered = 0;
  let wrong = 0;
  const add = (kind: string, node: number, words: () => FailureText) => {
    wrong++;
    findings.add(kind, history.facts.plan.messages[node]?.step, words);
  };
  for (const order of history.lanes) numbered += judgeLane(history, order, numbers, add);
  const chains = [...nodesByBus(history, numbers).values()];
  for (const chain of chains) {
    chain.sort((a, b) => (numbers[a] as number) - (numbers[b] as number));
    for (let i = 1; i < chain.length; i++) {
      const [a, b] = [chain[i - 1] as number, chain[i] as number];
      if (numbers[a] === numbers[b])
        add('sequence-shared', b, () => shared(history, a, b, numbers[b] as number));
    }
  }
  return { numbered, chains: wrong > 0 ? [] : chains };
}

type Add = (kind: string, node: number, words: () => FailureText) => void;

/** Returns how many messages of the file in the lane carry a number. */
function judgeLane(history: History, order: LaneOrder, numbers: Float64Array, add: Add): number {
  let numbered = 0;
  let last = -1;
  for (let i = 0; i < order.nodes.length; i++) {
    const { sequence: number } = deliveryAt(order, i);
    if (number === undefined) continue;
    const node = order.nodes[i] as number;
    if (node < history.messages) numbered++;
    const known = numbers[node] as number;
    if (known < 0) numbers[node] = number;
    else if (known !== number) add('sequence-differs', node, () => differs(history, order, i, known));
    if (last >= 0 && number <= (deliveryAt(order, last).sequence as number)) {
      const before = last;
      add('sequence-inverted', node, () => inverted(history, order, before, i));
    }
    last = i;
  }
  return numbered;
}

/** Bus → its nodes that have a number. */
function nodesByBus(history: History, numbers: Float64Array): Map<string, number[]> {
  const chains = new Map<string, number[]>();
  const placed = new Uint8Array(numbers.length);
  for (const { lane, nodes } of history.lanes) {
    const chain = chains.get(lane.bus) ?? [];
    chains.set(lane.bus, chain);
    for (const node of nodes) {
      if (placed[node] || (numbers[node] as number) < 0) continue;
      placed[node] = 1;
      chain.push(node);
    }
  }
  return chains;
}

const tied = (history: History, node: number) => {
  const message = history.facts.plan.messages[node];
  return message ? about(message) : {};
};

function inverted(history: History, order: LaneOrder, a: number, b: number): FailureText {
  const [before, after] = [deliveryAt(order, a), deliveryAt(order, b)];
  const name = (i: number) => nameOf(history, order.nodes[i] as number);
  return {
    summary: `the kernel's numbers go back at ${order.lane.name}`,
    expected: `a number above ${before.sequence} for ${name(b)}`,
    observed: `${after.sequence}`,
    ...tied(history, order.nodes[b] as number),
    detail: [
      `${name(a)} has number ${before.sequence} at position ${before.position} of ${order.lane.name}`,
      `${name(b)} has number ${after.sequence} at position ${after.position}`,
    ],
  };
}

function differs(history: History, order: LaneOrder, i: number, known: number): FailureText {
  const node = order.nodes[i] as number;
  const { sequence: number } = deliveryAt(order, i);
  const lanes = history.lanes.filter((l) => l !== order && l.nodes.includes(node)).map((l) => l.lane.name);
  return {
    summary: `${nameOf(history, node)} has another place in the kernel's sequence at ${order.lane.name}`,
    expected: `${known}, as at ${lanes[0]}`,
    observed: `${number}`,
    ...tied(history, node),
    detail: [`it reached ${count(lanes.length + 1, 'lane')}; its place on the bus is one`],
  };
}

function shared(history: History, a: number, b: number, number: number): FailureText {
  return {
    summary: `${nameOf(history, a)} and ${nameOf(history, b)} have the same place in the kernel's sequence`,
    expected: 'a place for each message',
    observed: `both have ${number}`,
    ...tied(history, b),
  };
}
