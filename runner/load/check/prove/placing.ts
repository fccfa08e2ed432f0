// SPDX-License-Identifier: MIT
/** Faults and branches whose place in the traffic is none: what they are beside is not there, or not there yet. */
import { count } from '../../../common/text.ts';
import { rowOf } from '../../../topology/faults.ts';
import { walk } from '../../../topology/steps.ts';
import type { FaultStep, ParallelStep, SendStep, Step, Topology } from '../../../topology/topology.ts';
import { type Places, pathOf } from '../places.ts';

/** Of fewer messages, other schedules show other places of a fault. */
const MIN_COUNT = 10;

export function checkPlacing(places: Places, { steps }: Topology): void {
  for (const { step, trail } of walk(steps)) {
    if (step.kind === 'parallel') checkBranches(places, step);
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
  places.problems.warning([...path, 'at'], {
    code: 'vacuous',
    message: 'this delay changes nothing: no other step is played meanwhile',
    hint: 'Write the fault in a branch of `parallel`, or remove the delay.',
  });
}
