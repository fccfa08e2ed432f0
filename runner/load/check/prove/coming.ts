// SPDX-License-Identifier: MIT
/** Which sends may reach which parties. */
import type { Prediction } from '../../../predict/index.ts';
import type { Lane } from '../../../topology/lane.ts';
import { sends } from '../../../topology/steps.ts';
import type { SendStep, Topology } from '../../../topology/topology.ts';

/** Lane → the sends of which it may get a message. */
export function comingTo(
  prediction: Prediction,
  { steps }: Topology,
): ReadonlyMap<Lane, ReadonlySet<SendStep>> {
  const coming = new Map<Lane, Set<SendStep>>();
  for (const step of sends(steps))
    for (const lane of lanesOf(prediction, step)) coming.set(lane, (coming.get(lane) ?? new Set()).add(step));
  return coming;
}

/** Those that must or may get a message of the step. */
export function lanesOf(prediction: Prediction, { id, count }: SendStep): ReadonlySet<Lane> {
  const lanes = new Set<Lane>();
  const seen = new Set<unknown>();
  for (let n = 0; n < count; n++) {
    const allowed = prediction.of(id, n);
    if (allowed === undefined || seen.has(allowed)) continue;
    seen.add(allowed);
    for (const lane of [...(allowed.delivered?.must ?? []), ...(allowed.delivered?.may ?? [])])
      lanes.add(lane);
  }
  return lanes;
}
