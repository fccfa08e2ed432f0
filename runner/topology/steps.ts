// SPDX-License-Identifier: MIT
/** The one walk over the steps of a topology, and the lists that are made from it. */
import type { FaultStep, ParallelStep, SendStep, Step } from './topology.ts';

/** A step, and where the walk found it. */
export interface Visit<S extends Step = Step> {
  readonly step: S;
  /** Index of its top-level step, from 0. */
  readonly top: number;
  /** The branches that lead to it: id of each `parallel` → number of the branch. */
  readonly trail: ReadonlyMap<string, number>;
}

/** Every step in file order; a `parallel` comes before the steps of its branches. */
export function* walk(steps: Iterable<Step>): Generator<Visit> {
  let top = 0;
  for (const step of steps) yield* below(step, top++, START);
}

const START: Visit['trail'] = new Map();

function* below(step: Step, top: number, trail: Visit['trail']): Generator<Visit> {
  yield { step, top, trail };
  if (step.kind !== 'parallel') return;
  for (const [n, branch] of step.branches.entries()) {
    const here = new Map([...trail, [step.id, n]]);
    for (const each of branch) yield* below(each, top, here);
  }
}

/** Every step, including those in branches. */
export function* flat(steps: Iterable<Step>): Generator<Step> {
  for (const { step } of walk(steps)) yield step;
}

export function* sends(steps: Iterable<Step>): Generator<SendStep> {
  for (const { step } of walk(steps)) if (step.kind === 'send') yield step;
}

export function* faults(steps: Iterable<Step>): Generator<FaultStep> {
  for (const { step } of walk(steps)) if (step.kind === 'fault') yield step;
}

/** The faults of a `parallel`, with their branches. */
export const faultsIn = (parallel: ParallelStep): Visit<FaultStep>[] =>
  [...walk([parallel])].filter((visit): visit is Visit<FaultStep> => visit.step.kind === 'fault');

/** Whether they are in different branches of one `parallel`, so that either may happen first. */
export const areConcurrent = (one: Visit, other: Visit): boolean =>
  [...one.trail].some(([id, branch]) => (other.trail.get(id) ?? branch) !== branch);

/** A branch as lists without a `parallel`: a nested `parallel` is treated as concurrent to the whole branch. */
export function strands(branch: readonly Step[]): (readonly Step[])[] {
  const inner = branch.flatMap((step) => (step.kind === 'parallel' ? step.branches.flatMap(strands) : []));
  return [branch.filter(({ kind }) => kind !== 'parallel'), ...inner];
}
