// SPDX-License-Identifier: MIT
/** Faults of a parallel step with their places in it: whether two of them are in different branches. */
import type { Scope } from './scope.ts';
import type { FaultStep, ParallelStep } from './topology.ts';
import type { Path } from './tree.ts';

/** A fault, and the branches that lead to it: the id of each parallel step with the number of the branch. */
export interface Placed {
  readonly step: FaultStep;
  readonly trail: ReadonlyMap<string, number>;
}

export function* faultsIn(
  { id, branches }: ParallelStep,
  trail: ReadonlyMap<string, number>,
): Generator<Placed> {
  for (const [b, branch] of branches.entries()) {
    const here = new Map([...trail, [id, b]]);
    for (const step of branch) {
      if (step.kind === 'fault') yield { step, trail: here };
      else if (step.kind === 'parallel') yield* faultsIn(step, here);
    }
  }
}

/** Somewhere their ways part into two branches. */
export const areBeside = (one: Placed, other: Placed): boolean =>
  [...one.trail].some(([id, b]) => (other.trail.get(id) ?? b) !== b);

/** Those of a node that is killed, or of the end of a `for`, are steps that the file does not have. */
export function pathOf({ paths }: Scope, { id, action }: FaultStep): Path {
  const own = paths.get(id);
  if (own !== undefined) return [...own, 'fault', action.fault];
  return [...(paths.get(id.replace(/\.(b\d+\.\d+|end)$/, '')) ?? []), 'fault'];
}
