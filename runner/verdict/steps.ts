// SPDX-License-Identifier: MIT
/** How the faults of a file affect readers. */

import { readingEffect, rowOf, subjectOf } from '../topology/faults.ts';
import { partyOf } from '../topology/lane.ts';
import type { Visit } from '../topology/steps.ts';
import type { FaultStep } from '../topology/topology.ts';

export interface Reader {
  readonly agent: string;
  /** Reads only when a step says so. */
  readonly manual: boolean;
}

/**
 * The first top-level step whose messages may be left in the reader's queue; Infinity if it read to the end. At the end
 * of a run, all living parties read what is left; not so in a run that was `cut`.
 */
export function readsUntil({ agent, manual }: Reader, steps: Iterable<Visit>, cut: boolean): number {
  // A client may be paused and also not read: each has its own end.
  let [reads, runs] = [manual ? 0 : Infinity, Infinity];
  for (const { step, top } of faultsAbout(agent, steps)) {
    const effect = readingEffect(step.action);
    if (effect === 'ends') return Math.min(reads, runs, top);
    if (effect === 'pauses') runs = Math.min(runs, top);
    if (effect === 'stops' || effect === 'reads some') reads = Math.min(reads, top);
    // If branches of one step disagree, it is not known which came last.
    if (effect === 'resumes' && runs < top) runs = Infinity;
    if (effect === 'reads on' && reads < top) reads = Infinity;
  }
  return cut ? Math.min(reads, runs) : Infinity;
}

/** Index of the top-level step with the first fault that ends the agent; Infinity if there is none. */
export function endsAt(agent: string, steps: Iterable<Visit>): number {
  for (const { step, top } of faultsAbout(agent, steps))
    if (rowOf(step.action).ends === 'process') return top;
  return Infinity;
}

function* faultsAbout(agent: string, steps: Iterable<Visit>): Generator<Visit<FaultStep>> {
  for (const visit of steps) {
    const { step } = visit;
    if (step.kind === 'fault' && partyOf(subjectOf(step.action)) === agent) yield { ...visit, step };
  }
}
