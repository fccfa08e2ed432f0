// SPDX-License-Identifier: MIT
/**
 * Checks deliveries while the bus changed, as a part of `recipients`: one order of a parallel step's changes in the
 * sequence of the bus must explain all messages together, not only each by itself. An eviction is a change, too.
 */

import { datagramsOf, type PlannedMessage } from '../plan/index.ts';
import { type NotLinearizable, notLinearizable, type Observed, TOO_MANY_PLACES } from '../predict/index.ts';
import { signalOf } from '../topology/faults.ts';
import { faults } from '../topology/steps.ts';
import type { ParallelStep } from '../topology/topology.ts';
import type { StepEvent } from '../trace/trace.ts';
import { readsBeyond } from './due-ends.ts';
import { busOf, type Facts, messageOf, outcomeOf, topOf } from './facts.ts';
import { about, list } from './failure-text.ts';
import type { Findings } from './findings.ts';

/** Maximum number of alternatives in a report. */
const SHOWN = 4;

const NOBODY: ReadonlySet<string> = new Set();

/** Reports, for each bus and parallel step, the first message that no order explains. */
export function linearizable(facts: Facts, findings: Findings): void {
  const steps = stepsOf(facts);
  if (!steps.some((step) => changes(facts, step))) return;
  const witnessed = witnessedBy(facts);
  for (const step of steps) {
    if (!changes(facts, step)) continue;
    for (const { name } of facts.plan.topology.buses) {
      const found = explain(facts, step, name, witnessed);
      // The model has said so of the step: its messages count as unchecked.
      if (found !== undefined && found !== TOO_MANY_PLACES) add(facts, findings, found);
    }
  }
}

/** The parallel steps; and sends on a bus that evicts, beside which clients may be evicted. */
function stepsOf({ plan: { topology }, clients }: Facts): readonly ParallelStep[] {
  const evicting = new Set(
    topology.buses.filter(({ overflow }) => overflow === 'evict').map(({ name }) => name),
  );
  return topology.steps.flatMap((step): ParallelStep[] => {
    if (step.kind === 'parallel') return [step];
    if (step.kind !== 'send') return [];
    const { id, place, from } = step;
    const bus = from.kind === 'master' ? from.bus : (clients.get(from.name)?.bus ?? '');
    return evicting.has(bus) ? [{ kind: 'parallel', id, place, branches: [[step]] }] : [];
  });
}

/** Whether a fault in the step changes who gets what. */
const changes = ({ plan: { topology } }: Facts, step: ParallelStep): boolean =>
  [...faults([step])].length > 0 || topology.buses.some(({ overflow }) => overflow === 'evict');

interface Copies {
  /** Undefined if one copy came without a number. */
  seq: number | undefined;
  readonly lanes: Set<string>;
}

function witnessedBy(facts: Facts): Map<PlannedMessage, Copies> {
  const all = new Map<PlannedMessage, Copies>();
  for (const lane of facts.lanes) {
    for (const delivery of lane.deliveries) {
      const message = messageOf(facts, delivery);
      if (message === undefined) continue;
      const known = all.get(message) ?? { seq: delivery.sequence, lanes: new Set() };
      known.lanes.add(lane.name);
      if (delivery.sequence === undefined) known.seq = undefined;
      all.set(message, known);
    }
  }
  return all;
}

/** Undefined if one order explains all deliveries; else the first message that none explains. */
function explain(
  facts: Facts,
  step: ParallelStep,
  bus: string,
  witnessed: ReturnType<typeof witnessedBy>,
): NotLinearizable | typeof TOO_MANY_PLACES | undefined {
  const top = facts.steps.get(step.id)?.top;
  const messages = facts.plan.messages.filter(
    (message) => topOf(facts, message) === top && busOf(facts, message) === bus,
  );
  const seen = messages.flatMap((message) => {
    const { seq, lanes } = witnessed.get(message) ?? {};
    return seq === undefined || lanes === undefined ? [] : [{ ...witness(facts, message, lanes), seq }];
  });
  const unplaced = messages.flatMap((message) => {
    const { seq, lanes = NOBODY } = witnessed.get(message) ?? {};
    const judged = seq === undefined && outcomeOf(facts, message.number) === 'ok';
    return judged ? [witness(facts, message, lanes)] : [];
  });
  const unsure = (lane: string) => facts.laneOf.get(lane)?.readsUntil !== Infinity;
  const evictable = (client: string) => mayHaveBeenEvicted(facts, client);
  const datagrams = datagramsOf(facts.plan);
  let first: NotLinearizable | typeof TOO_MANY_PLACES | undefined;
  for (const state of facts.plan.prediction.before(step.id)) {
    const found = notLinearizable(state, step, bus, { seen, unplaced }, { unsure, evictable }, datagrams);
    if (found === undefined) return undefined;
    first ??= found;
  }
  return first;
}

/** An eviction ends the client's socket. A reader that read to the end of the run has met that end. */
const mayHaveBeenEvicted = (facts: Facts, client: string): boolean =>
  facts.trace.cut !== undefined ||
  !readsBeyond(facts, client, Infinity) ||
  facts.trace.ends.some(({ lane, why }) => lane === client && why !== 'closed');

function witness(facts: Facts, message: PlannedMessage, lanes: ReadonlySet<string>): Observed {
  const { t0 = -Infinity, t1 = Infinity } = facts.sends[message.number] ?? {};
  const played = (fault: string) => facts.trace.steps.find(({ step }) => step === fault);
  return {
    step: message.step,
    n: message.number - (facts.plan.messagesOf.get(message.step)?.first ?? 0),
    lanes,
    after: (fault) => !isSignal(facts, fault) && effectOf(played(fault)) < t0,
    before: (fault) => momentOf(played(fault)) > t1,
  };
}

/** The latest time at which it had certainly not begun: its step may have waited long before. */
const momentOf = (played: StepEvent | undefined): number => played?.moment ?? played?.t0 ?? -Infinity;

/** The earliest time at which it was certainly over. */
const effectOf = (played: StepEvent | undefined): number => played?.effect ?? played?.t1 ?? Infinity;

/** The time of a signal is no bound: the kernel notices the end of a process later. */
function isSignal({ steps }: Facts, fault: string): boolean {
  const step = steps.get(fault)?.step;
  return step?.kind === 'fault' && signalOf(step.action) !== undefined;
}

function add(
  facts: Facts,
  findings: Findings,
  { message: { step, n, lanes }, instead }: NotLinearizable,
): void {
  const { first } = facts.plan.messagesOf.get(step) ?? { first: 0 };
  const message = facts.plan.messages[first + n] as PlannedMessage;
  findings.add('notLinearizable', step, () => ({
    summary: `${message.name} contradicts the other deliveries: no ordering of the concurrent changes explains them all`,
    expected: instead.slice(0, SHOWN).map(list).join('; or ') || 'an error',
    observed: list([...lanes].toSorted()),
    ...about(message),
    detail: [
      'a message comes before or after a change for everyone, and what has changed stays so (section 4, "strictly ordered")',
    ],
  }));
}
