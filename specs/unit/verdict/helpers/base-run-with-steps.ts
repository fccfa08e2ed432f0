// SPDX-License-Identifier: MIT
/** The base run with more steps. */

import type { FaultAction } from '../../../../runner/topology/faults.ts';
import type { Step } from '../../../../runner/topology/topology.ts';
import { baseStory, indexIn, logOf, lose, numberOf } from './base-run.ts';
import { makeRun, renumber } from './make-run.ts';
import { place } from './plan-of-story.ts';
import type { Run } from './story.ts';

/** Makes the base run, with these steps behind its sends. */
export const withSteps =
  (...steps: Step[]) =>
  () =>
    makeRun({ ...baseStory(), steps });

/** Makes the base run, with this step before one of its sends. */
export const withStepBefore = (id: string, step: Step) => () => {
  const run = withSteps(step)();
  const { steps } = run.plan.topology;
  const [last] = steps.splice(-1);
  if (last)
    steps.splice(
      steps.findIndex((s) => s.id === id),
      0,
      last,
    );
  return run;
};

export const waits: Step = {
  kind: 'blocked',
  id: '7',
  client: 'a',
  blocked: true,
  within: 100,
  place: place(30),
};
export const hangup: Step = { kind: 'hangup', id: '8', client: 'r3', within: 100, place: place(31) };
export const fault = (id: string, action: FaultAction): Step => ({
  kind: 'fault',
  id,
  action,
  place: place(32),
});

/** What its reader had not read when it went. */
export const forget = (run: Run, lane: string, first: string) => {
  logOf(run, lane).splice(indexIn(run, lane, first));
  renumber(logOf(run, lane));
};

/** The last send of a never returns, and nobody gets its message. */
export const neverReturns = (run: Run) => {
  delete run.trace.sends[numberOf(run, 'a#5')]?.t1;
  for (const lane of ['ear', 'b.master@a']) lose(run, lane, 'a#5');
};
