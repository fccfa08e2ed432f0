// SPDX-License-Identifier: MIT
/** What the faults of a file do to readers. */

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
 * First top-level step whose messages the reader may have left in its queue; Infinity where it read to the end.
 * A run that was played to its end lets everyone who lives read what is left; one that was `cut` did not.
 */
export function readsUntil({ agent, manual }: Reader, steps: Iterable<Visit>, cut: boolean): number {
  // A client may be paused and not read besides: each has an end of its own.
  let [reads, runs] = [manual ? 0 : Infinity, Infinity];
  for (const { step, top } of faultsAbout(agent, steps)) {
    const effect = readingEffect(step.action);
    if (effect === 'ends') return Math.min(reads, runs, top);
    if (effect === 'pauses') runs = Math.min(runs, top);
    if (effect === 'stops' || effect === 'reads some') reads = Math.min(reads, top);
    // If branches of one step disagree, nobody knows which came last.
    if (effect === 'resumes' && runs < top) runs = Infinity;
    if (effect === 'reads on' && reads < top) reads = Infinity;
  }
  return cut ? Math.min(reads, runs) : Infinity;
}

/** The top-level place of the first fault that ends the agent; Infinity where none does. */
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
