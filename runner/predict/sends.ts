// SPDX-License-Identifier: MIT
import type { SendStep, Step } from '../topology/topology.ts';

/** Those of these steps and of all that is parallel inside of them. */
export function* sendsIn(steps: Iterable<Step>): Generator<SendStep> {
  for (const step of steps) {
    if (step.kind === 'send') yield step;
    else if (step.kind === 'parallel') yield* sendsIn(step.branches.flat());
  }
}
