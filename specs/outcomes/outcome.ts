// SPDX-License-Identifier: MIT
/** What a run showed that another run of the same topology need not show, in sentences that can be compared. */

import { areConcurrent, sends, type Visit } from '../../runner/topology/steps.ts';
import type { SendStep } from '../../runner/topology/topology.ts';
import type { SendEvent } from '../../runner/trace/trace.ts';
import { busOf, type Facts, type LaneFacts, outcomeOf } from '../../runner/verdict/facts.ts';
import { overlaps } from '../../runner/verdict/overlap.ts';

/** Each sentence is one thing that happened. */
export function outcomesOf(facts: Facts): ReadonlySet<string> {
  const steps = [...sends(facts.plan.topology.steps)];
  return new Set([
    ...steps.flatMap((step) => returns(facts, step)),
    ...steps.flatMap((step) => facts.lanes.flatMap((lane) => copies(facts, step, lane))),
    ...steps.flatMap((one, i) => steps.slice(i + 1).flatMap((other) => turns(facts, one, other))),
    ...overlaps(facts).map(({ fault, before, during, after }) =>
      [
        `fault ${fault.id}:`,
        before > 0 ? 'sends before it,' : 'no send before it,',
        during > 0 ? 'some during it,' : 'none during it,',
        after > 0 ? 'some after it' : 'none after it',
      ].join(' '),
    ),
  ]);
}

/** Numbers of a step's messages. */
function messages({ plan }: Facts, step: SendStep): readonly number[] {
  const { first, count } = plan.messagesOf.get(step.id) ?? { first: 0, count: 0 };
  return Array.from({ length: count }, (_, i) => first + i);
}

/** `step 1.b1: some ENOBUFS` */
function returns(facts: Facts, step: SendStep): string[] {
  const words = messages(facts, step).map((number) => facts.sends[number]?.error ?? outcomeOf(facts, number));
  const kinds = new Set(words);
  return [...kinds].map((word) => `step ${step.id}: ${kinds.size === 1 ? 'all' : 'some'} ${word}`);
}

/** `step 1.b1: spy got some` of those messages that were sent. */
function copies(facts: Facts, step: SendStep, lane: LaneFacts): string[] {
  const sent = messages(facts, step).filter((number) => outcomeOf(facts, number) === 'ok');
  const got = new Set([...lane.deliveries].filter(({ fence }) => !fence).map(({ message }) => message));
  const held = sent.filter((number) => got.has(number)).length;
  if (sent.length === 0) return [];
  return [`step ${step.id}: ${lane.name} got ${held === 0 ? 'none' : held === sent.length ? 'all' : 'some'}`];
}

/** Of two steps that play beside each other on one bus: which began first, and whether they mixed. */
function turns(facts: Facts, one: SendStep, other: SendStep): string[] {
  const [visit, beside] = [one, other].map(({ id }) => facts.steps.get(id)) as [Visit, Visit];
  const [a, b] = [sendsOf(facts, one), sendsOf(facts, other)];
  const [first, second] = [a[0], b[0]];
  if (first === undefined || second === undefined || !areConcurrent(visit, beside)) return [];
  if (busOfStep(facts, one) !== busOfStep(facts, other)) return [];
  const early = first.t0 < second.t0;
  const [before, after] = early ? [a, b] : [b, a];
  const mixed = (before.at(-1)?.t0 ?? 0) > (after[0]?.t0 ?? 0);
  const [x, y] = early ? [one, other] : [other, one];
  return [
    `step ${x.id} began before ${y.id}`,
    `steps ${one.id} and ${other.id} ${mixed ? 'mixed' : 'did not mix'}`,
  ];
}

const sendsOf = (facts: Facts, step: SendStep): SendEvent[] =>
  messages(facts, step).flatMap((number) => facts.sends[number] ?? []);

const busOfStep = (facts: Facts, step: SendStep): string | undefined => {
  const [number] = messages(facts, step);
  const message = number === undefined ? undefined : facts.plan.messages[number];
  return message && busOf(facts, message);
};
