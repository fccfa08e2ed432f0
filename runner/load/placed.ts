// SPDX-License-Identifier: MIT
/** The steps of a parallel one with their places in it: whether two of them are in different branches. */

import type { FaultAction, FaultStep, ParallelStep, Step } from '../topology/topology.ts';
import type { Scope } from './scope.ts';
import type { Path } from './tree.ts';

/** A step, and the branches that lead to it: the id of each parallel step with the number of the branch. */
export interface Placed<S extends Step = FaultStep> {
  readonly step: S;
  readonly trail: ReadonlyMap<string, number>;
}

type Simple = Exclude<Step, ParallelStep>;

export function* stepsIn(
  { id, branches }: ParallelStep,
  trail: ReadonlyMap<string, number> = new Map(),
): Generator<Placed<Simple>> {
  for (const [b, branch] of branches.entries()) {
    const here = new Map([...trail, [id, b]]);
    for (const step of branch) {
      if (step.kind === 'parallel') yield* stepsIn(step, here);
      else yield { step, trail: here };
    }
  }
}

export const isFault = (placed: Placed<Simple>): placed is Placed => placed.step.kind === 'fault';

/** Somewhere their ways part into two branches. */
export const areBeside = (one: Placed<Step>, other: Placed<Step>): boolean =>
  [...one.trail].some(([id, b]) => (other.trail.get(id) ?? b) !== b);

/** Those of a node that is killed, or of the end of a `for`, are steps that the file does not have. */
export function pathOf({ paths }: Scope, { id, action }: FaultStep): Path {
  const own = paths.get(id);
  if (own !== undefined) return [...own, 'fault', verbOf(action)];
  return [...(paths.get(id.replace(/\.(b\d+\.\d+|end)$/, '')) ?? []), 'fault'];
}

/** As the file has it. */
const verbOf = (action: FaultAction): string =>
  action.fault === 'kill' && action.memory !== undefined ? 'limit' : action.fault;
