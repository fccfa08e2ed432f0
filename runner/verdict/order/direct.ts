// SPDX-License-Identifier: MIT
/**
 * Inversions that a single lane shows. The graph blames the weakest promise that a cycle breaks. But a lane that also
 * swaps a sender's messages, or has an effect before its cause, breaks these stronger promises as well.
 */

import { partyOf } from '../../topology/lane.ts';
import type { SendEvent } from '../../trace/trace.ts';
import { about, clock } from '../failure-text.ts';
import type { FailureText, Findings } from '../findings.ts';
import { deliveryAt, type History, type LaneOrder, nameOf } from './history.ts';

/** Program order in each lane: a sender's messages must come in the order in which their sends began. */
export function senderInversions(history: History, fifo: Findings): void {
  const { sends, plan } = history.facts;
  for (const order of history.lanes) {
    const latest = new Map<string, number>();
    const ofStep = new Map<string, number>();
    for (let i = 0; i < order.nodes.length; i++) {
      const send = sends[order.nodes[i] as number];
      if (!send || send.error !== undefined) continue;
      const step = plan.messages[send.message]?.step as string;
      const [byTime, byNumber] = [latest.get(send.agent), ofStep.get(step)];
      const [before, later] = [sentAt(history, order, byTime), sentAt(history, order, byNumber)];
      const through = send.t1 ?? Infinity;
      const late = before && through <= before.t0 && send.message !== before.message;
      const report = (place: number) => fifo.add('inverted', step, () => inverted(history, order, place, i));
      if (late) report(byTime as number);
      else if (later && send.message < later.message) report(byNumber as number);
      if (!before || send.t0 > before.t0) latest.set(send.agent, i);
      if (!later || send.message > later.message) ofStep.set(step, i);
    }
  }
}

const sentAt = ({ facts }: History, order: LaneOrder, place: number | undefined): SendEvent | undefined =>
  place === undefined ? undefined : facts.sends[order.nodes[place] as number];

function inverted(history: History, order: LaneOrder, first: number, second: number): FailureText {
  const [early, late] = [order.nodes[second] as number, order.nodes[first] as number];
  const message = history.facts.plan.messages[early];
  const [a, b] = [nameOf(history, early), nameOf(history, late)];
  const lane = order.lane.name;
  const positions = `${deliveryAt(order, first).position}, ${deliveryAt(order, second).position}`;
  return {
    summary: `${lane} got ${b} before ${a}, though ${message && partyOf(message.from)} sent ${a} first`,
    expected: `${a}, ${b}`,
    observed: `${b}, ${a}`,
    ...(message ? about(message) : {}),
    detail: [`at positions ${positions} of ${lane}`],
  };
}

/** Reports a receipt that is earlier than the call that sent the message. */
export function seenBeforeSent(history: History, causal: Findings): void {
  const { sends, plan } = history.facts;
  for (const order of history.lanes) {
    for (let i = 0; i < order.nodes.length; i++) {
      const send = sends[order.nodes[i] as number];
      const d = deliveryAt(order, i);
      if (!send || d.t >= send.t0) continue;
      const message = plan.messages[send.message];
      causal.add('before-sent', message?.step, () => ({
        summary: `${order.lane.name} had ${message?.name} before its send began`,
        expected: `not before ${clock(history.facts, send.t0)}`,
        observed: clock(history.facts, d.t),
        ...(message ? about(message) : {}),
      }));
    }
  }
}

/** Maximum number of pairs to compare in components that the lanes alone contradict. */
const EFFORT = 4_000_000;

/** Reports effects before causes in components that break a weaker promise already. */
export function causeInversions(history: History, component: readonly number[], causal: Findings): void {
  const messages = component.filter(
    (n) => n < history.messages && history.facts.sends[n]?.error === undefined,
  );
  const received = new Map<string, LaneOrder[]>();
  for (const order of history.lanes)
    received.set(order.lane.agent, [...(received.get(order.lane.agent) ?? []), order]);
  let effort = 0;
  for (const effect of messages) {
    const send = history.facts.sends[effect];
    for (const own of (send && received.get(send.agent)) ?? []) {
      for (const cause of messages) {
        effort += own.nodes.length;
        if (cause === effect || effort > EFFORT) continue;
        const at = own.nodes.indexOf(cause);
        if (at < 0 || deliveryAt(own, at).t >= (send?.t0 ?? -Infinity)) continue;
        report(history, cause, effect, causal);
      }
    }
  }
}

function report(history: History, cause: number, effect: number, causal: Findings): void {
  for (const order of history.lanes) {
    const [first, second] = [order.nodes.indexOf(effect), order.nodes.indexOf(cause)];
    if (first < 0 || second <= first) continue;
    const message = history.facts.plan.messages[effect];
    const [a, b] = [nameOf(history, cause), nameOf(history, effect)];
    causal.add('inverted', message?.step, () => ({
      summary: `${order.lane.name} got ${b} before ${a}, which had caused it`,
      expected: `${a}, ${b}`,
      observed: `${b}, ${a}`,
      ...(message ? about(message) : {}),
      detail: [
        `${message && partyOf(message.from)} had received ${a} before it sent ${b}`,
        `${b} before ${a} at lane ${order.lane.name} (positions ${deliveryAt(order, first).position}, ${deliveryAt(order, second).position})`,
      ],
    }));
  }
}
