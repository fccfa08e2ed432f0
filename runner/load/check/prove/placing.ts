// SPDX-License-Identifier: MIT
/** Faults and branches whose place in the traffic is none: what they are beside is not there, or not there yet. */
import { count } from '../../../common/text.ts';
import { rowOf } from '../../../topology/faults.ts';
import { areConcurrent, type Visit, walk } from '../../../topology/steps.ts';
import type { FaultStep, ParallelStep, SendStep, Step, Topology } from '../../../topology/topology.ts';
import { type Places, pathOf } from '../places.ts';

/** Of fewer messages, other schedules show other places of a fault. */
const MIN_COUNT = 10;

export function checkPlacing(places: Places, { steps }: Topology): void {
  const visits = [...walk(steps)];
  for (const visit of visits) {
    const { step, trail } = visit;
    if (step.kind === 'parallel') checkBranches(places, step);
    else if (step.kind === 'fault' && step.after !== undefined)
      checkAfter(places, step, besides(visit, visits));
    else if (step.kind === 'fault' && trail.size === 0) checkDelay(places, step);
  }
}

function checkBranches(places: Places, { id, branches }: ParallelStep): void {
  const path = places.paths.get(id) ?? [];
  // A `kill-node` has a branch for each process of its node, and these are not in the file.
  const isWritten = branches.flat().some((step) => places.paths.has(step.id));
  if (isWritten && branches.length === 1)
    places.problems.warning([...path, 'parallel'], {
      code: 'vacuous',
      message: 'nothing is played in parallel: there is one branch',
      hint: 'Add a branch, or write the steps without `parallel`.',
    });
  const first = branches.map(([step]) => step);
  for (const fault of first.filter(isUnplaced)) checkStart(places, fault, first.filter(isSend));
}

/** A party that ends with the first of many messages is gone for nearly all of them, so few runs show its end among them. */
function checkStart(places: Places, fault: FaultStep, beside: readonly SendStep[]): void {
  const all = beside.reduce((sum, send) => sum + send.count, 0);
  if (all < MIN_COUNT) return;
  places.problems.warning(pathOf(places, fault), {
    code: 'vacuous',
    message: `this fault begins with the first of ${count(all, 'message')}, so it may come before nearly all of them`,
    hint: `Place it: after: ${Math.floor(all / 2)}, a number of messages; or write it as a step before them.`,
  });
}

const besides = (fault: Visit, visits: readonly Visit[]): readonly SendStep[] =>
  visits
    .filter((visit) => areConcurrent(visit, fault))
    .flatMap(({ step }) => (step.kind === 'send' ? [step] : []));

/** A fault that waits for all messages beside it meets none of them; one that takes another back need not. */
function checkAfter(
  { problems, paths }: Places,
  { id, action, after }: FaultStep,
  beside: readonly SendStep[],
): void {
  const all = beside.reduce((sum, send) => sum + send.count, 0);
  const path = paths.get(id);
  if (path === undefined || after?.messages !== all) return;
  if (action.fault === 'resume' || action.fault === 'read') return;
  problems.warning([...path, 'fault', 'after'], {
    code: 'vacuous',
    message: `this fault comes after ${all === 1 ? 'the only message' : `all ${all} messages`} beside it, so it meets none`,
    hint:
      all === 1
        ? 'Send more messages beside it, or write it as a step after them.'
        : `Let it come earlier, after: ${Math.floor(all / 2)}; or write it as a step after them.`,
  });
}

/** A process that the kernel kills at a limit of memory has its place there. */
const isUnplaced = (step: Step | undefined): step is FaultStep =>
  step?.kind === 'fault' &&
  step.at === undefined &&
  step.after === undefined &&
  rowOf(step.action).ends !== undefined &&
  !('memory' in step.action && step.action.memory !== undefined);

const isSend = (step: Step | undefined): step is SendStep => step?.kind === 'send';

function checkDelay(places: Places, { id, at }: FaultStep): void {
  const path = places.paths.get(id);
  if (at === undefined || path === undefined) return;
  places.problems.warning([...path, 'fault', 'at'], {
    code: 'vacuous',
    message: 'this delay changes nothing: no other step is played meanwhile',
    hint: 'Write the fault in a branch of `parallel`, or remove the delay.',
  });
}
