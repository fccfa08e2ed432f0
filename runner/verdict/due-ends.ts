// SPDX-License-Identifier: MIT
/** Ends of sockets that faults call for (af_bus.md section 5). Who reads a socket has met its end when the step is over. */

import { clientOf, type FaultAction, rowOf } from '../topology/faults.ts';
import { acceptedLane, type Lane, parseLane } from '../topology/lane.ts';
import type { ClientSpec, FaultStep } from '../topology/topology.ts';
import type { Facts } from './facts.ts';
import { readsUntil } from './steps.ts';

export interface DueEnd {
  readonly lane: Lane;
  readonly fault: FaultStep;
}

/** The ends that the trace must have. A run that was cut calls for none: its last steps may not be settled. */
export function* dueEnds(facts: Facts): Generator<DueEnd> {
  if (facts.trace.cut !== undefined) return;
  const played = new Set(
    facts.trace.steps.flatMap(({ step, failure }) => (failure === undefined ? [step] : [])),
  );
  for (const { step, top } of facts.steps.values()) {
    if (step.kind !== 'fault' || !played.has(step.id)) continue;
    const client = facts.clients.get(clientOf(step.action) ?? '');
    if (client === undefined) continue;
    for (const lane of ended(step.action, client))
      if (isReadBeyond(facts, lane, client, top)) yield { lane, fault: step };
  }
}

/** The master learns that a client is gone; an expelled client learns that it is expelled. */
function ended(action: FaultAction, { bus, name }: ClientSpec): Lane[] {
  const { ends } = rowOf(action);
  if (ends === 'process') return [acceptedLane(bus, name)];
  return ends === 'place' ? [acceptedLane(bus, name), name] : [];
}

function isReadBeyond({ crashed, steps }: Facts, lane: Lane, { receive }: ClientSpec, top: number): boolean {
  const { agent, accepted } = parseLane(lane);
  const manual = !accepted && receive === 'manual';
  return !crashed.has(agent) && readsUntil({ agent, manual }, steps.values(), true) > top;
}
