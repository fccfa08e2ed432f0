// SPDX-License-Identifier: MIT
/** Which sends may reach which parties. */
import { lanesOf, type Prediction } from '../../../predict/index.ts';
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
