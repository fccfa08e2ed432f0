// SPDX-License-Identifier: MIT
/**
 * The traffic around the faults of a `parallel`: how many concurrent messages were sent before, during and after each
 * fault.
 */
import { count } from '../common/text.ts';
import { faultText, oppositeOf, rowOf } from '../topology/faults.ts';
import { areConcurrent, faultsIn, sends, type Visit } from '../topology/steps.ts';
import type { FaultStep, ParallelStep } from '../topology/topology.ts';
import type { Facts } from './facts.ts';

export interface Overlap {
  readonly fault: FaultStep;
  /** Whether a later step of its branch takes it back: then `during` is from the one to the other. */
  readonly isUndone: boolean;
  /** Messages that had returned before the fault, that were under way, and that were sent after it. */
  readonly before: number;
  readonly during: number;
  readonly after: number;
}

/** One entry for each fault that was injected while other branches sent. */
export function overlaps(facts: Facts): readonly Overlap[] {
  return facts.plan.topology.steps.flatMap((step) =>
    step.kind === 'parallel' ? overlapsIn(facts, step) : [],
  );
}

function overlapsIn(facts: Facts, parallel: ParallelStep): Overlap[] {
  const visits = [...sends([parallel])].map(({ id }) => facts.steps.get(id) as Visit);
  const faults = faultsIn(parallel);
  return faults.flatMap((fault, n) => {
    const beside = visits.filter((visit) => areConcurrent(visit, fault)).map(({ step }) => step.id);
    return beside.length === 0 ? [] : overlap(facts, fault.step, undoing(fault, faults.slice(n + 1)), beside);
  });
}

/** The fault that takes this one back, if only the messages between the two can show it. */
function undoing(fault: Visit<FaultStep>, later: readonly Visit<FaultStep>[]): FaultStep | undefined {
  const opposite = oppositeOf(fault.step.action);
  if (opposite === undefined || rowOf(fault.step.action).shows !== 'in messages') return undefined;
  const text = faultText(opposite);
  return later.find((other) => faultText(other.step.action) === text && !areConcurrent(other, fault))?.step;
}

function overlap(
  facts: Facts,
  fault: FaultStep,
  undone: FaultStep | undefined,
  beside: readonly string[],
): Overlap[] {
  const playedOf = (id: string | undefined) => facts.trace.steps.find(({ step }) => step === id);
  const played = playedOf(fault.id);
  if (played?.moment === undefined) return [];
  const { moment } = played;
  const last = playedOf(undone?.id) ?? played;
  const effect = last.effect ?? last.t1;
  const counts = { before: 0, during: 0, after: 0 };
  for (const id of beside) {
    const { first, count: all } = facts.plan.messagesOf.get(id) ?? { first: 0, count: 0 };
    for (const send of facts.sends.slice(first, first + all)) {
      if (send === undefined) continue;
      if (send.t1 !== undefined && send.t1 <= moment) counts.before++;
      else if (send.t0 > effect) counts.after++;
      else counts.during++;
    }
  }
  return [{ fault, isUndone: undone !== undefined, ...counts }];
}

/** `kill b: 50 messages before it, 2 during it, 448 after it` */
export function overlapInWords({ fault, before, during, after }: Overlap): string {
  const counts = `${count(before, 'message')} before it, ${during} during it, ${after} after it`;
  return `step ${fault.id} (line ${fault.place.line}): ${faultText(fault.action)}: ${counts}`;
}

/** Why a step proves nothing about its faults although no check failed: each came before or after all the messages. */
export function faultsMissed(facts: Facts): string | undefined {
  const all = overlaps(facts).filter(isJudged);
  const steps = Map.groupBy(all, ({ fault }) => facts.steps.get(fault.id)?.top);
  const missed = [...steps.values()].find((of) => of.every(isMissed))?.[0];
  if (missed === undefined) return undefined;
  const { fault, before, after, isUndone } = missed;
  const { file, line } = fault.place;
  const what = `${faultText(fault.action)} (${file}:${line})`;
  if (isUndone && before > 0 && after > 0)
    return `${what} was taken back before a message came beside it; let it last longer`;
  const when = before === 0 ? 'before the first' : 'after the last';
  const advice = fault.after ? 'let `after:` count fewer' : 'place it with `after:`, a number of messages';
  return `${what} came ${when} message beside it; ${advice}`;
}

/**
 * Not judged are faults that take another one back, which act on its effect at any time, and restarts, which are
 * several faults.
 */
const isJudged = ({ fault }: Overlap): boolean =>
  !fault.id.endsWith('.end') && fault.action.fault !== 'resume' && fault.action.fault !== 'read';

/** A client that stops reading before the first message meets all of them, unless it reads again before that. */
export function isMissed({ fault, isUndone, before, during, after }: Overlap): boolean {
  if (during > 0) return false;
  if (isUndone) return true;
  const early = before === 0 && rowOf(fault.action).changes === 'routes';
  return early || after === 0;
}
