// SPDX-License-Identifier: MIT
/** The step that takes back a pause, in the words of a file: `pause-node` becomes a `parallel` of single pauses. */
import { subjectOf } from './faults.ts';
import { masterOf, partyOf } from './lane.ts';
import { walk } from './steps.ts';
import type { FaultStep, ParallelStep, Step, Topology } from './topology.ts';

/** `{ resume: camera }`, or `{ resume-node: ecu }` if the last pause up to this top-level step is one of its node. */
export function resumption({ steps, clients, buses }: Topology, party: string, until: Step): string {
  const visits = [...walk(steps.slice(0, steps.indexOf(until) + 1))];
  const pause = visits.findLast(({ step }) => isPause(step) && partyOf(subjectOf(step.action)) === party);
  const parents = visits.filter(({ step }) => pause?.trail.has(step.id));
  const ofNode = parents.some(({ step }) => pause && isAt(step, pause.step));
  const node =
    clients.find(({ name }) => name === party)?.node ??
    buses.find(({ name }) => masterOf(name) === party)?.master.node;
  return ofNode && node !== undefined ? `{ resume-node: ${node} }` : `{ resume: ${party} }`;
}

const isPause = (step: Step): step is FaultStep => step.kind === 'fault' && step.action.fault === 'pause';

/** Whether a `parallel` has the place of a step in its branches, as only one made from a fault has. */
const isAt = (step: Step, inner: Step): step is ParallelStep =>
  step.kind === 'parallel' &&
  step.place.line === inner.place.line &&
  step.place.column === inner.place.column;
