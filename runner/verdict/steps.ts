// SPDX-License-Identifier: MIT
/** The steps of a file, flat, and what its faults mean for those who read. */

import { masterOf } from '../topology/lane.ts';
import type { FaultAction, Sender, Step } from '../topology/topology.ts';
import type { PlayedStep } from './facts.ts';

/** Step id → step, in file order, those inside parallel steps included. */
export function playedSteps(steps: readonly Step[]): Map<string, PlayedStep> {
  const all = new Map<string, PlayedStep>();
  const walk = (list: readonly Step[], top?: number) => {
    list.forEach((step, i) => {
      all.set(step.id, { step, top: top ?? i });
      if (step.kind === 'parallel') for (const branch of step.branches) walk(branch, top ?? i);
    });
  };
  walk(steps);
  return all;
}

const nameOf = (target: Sender): string => (target.kind === 'client' ? target.name : masterOf(target.bus));

type Effect = 'ends' | 'pauses' | 'resumes' | 'stops reading' | 'reads on';

/** What a fault does to the reading of `agent`. */
function effect(action: FaultAction, agent: string, bus: string): Effect | undefined {
  switch (action.fault) {
    case 'kill':
    case 'stop':
      return nameOf(action.target) === agent ? 'ends' : undefined;
    case 'pause':
      return nameOf(action.target) === agent ? 'pauses' : undefined;
    case 'resume':
      return nameOf(action.target) === agent ? 'resumes' : undefined;
    case 'leave':
      return action.bus === bus && masterOf(bus) === agent ? 'ends' : undefined;
    case 'stop-reading':
      return action.client === agent ? 'stops reading' : undefined;
    case 'read':
      if (action.client !== agent) return undefined;
      return action.count === 'all' ? 'reads on' : 'stops reading';
    default:
      return undefined;
  }
}

export interface Reader {
  readonly agent: string;
  readonly bus: string;
  /** Reads only when a step says so. */
  readonly manual: boolean;
}

/**
 * First top-level step whose messages the reader may have left in its queue; Infinity where it read to the end.
 * A run that was played to its end lets everyone who lives read what is left; one that was `cut` did not.
 */
export function readsUntil(
  { agent, bus, manual }: Reader,
  steps: Iterable<PlayedStep>,
  cut: boolean,
): number {
  // A client may be paused and not read besides: each has an end of its own.
  let [reads, runs] = [manual ? 0 : Infinity, Infinity];
  for (const { step, top } of steps) {
    if (step.kind !== 'fault') continue;
    const what = effect(step.action, agent, bus);
    if (what === 'ends') return Math.min(reads, runs, top);
    if (what === 'pauses') runs = Math.min(runs, top);
    if (what === 'stops reading') reads = Math.min(reads, top);
    // Of what branches of one step do, nobody knows which came last.
    if (what === 'resumes' && runs < top) runs = Infinity;
    if (what === 'reads on' && reads < top) reads = Infinity;
  }
  return cut ? Math.min(reads, runs) : Infinity;
}

/** The top-level place of the first fault that ends the agent; Infinity where none does. */
export function endsAt(agent: string, steps: Iterable<PlayedStep>): number {
  for (const { step, top } of steps) {
    if (step.kind !== 'fault') continue;
    const { action } = step;
    if ((action.fault === 'kill' || action.fault === 'stop') && nameOf(action.target) === agent) return top;
  }
  return Infinity;
}
