// SPDX-License-Identifier: MIT
/** Ends of sockets that faults call for (af_bus.md section 5), of those that are read until they must have come. */

import { clientOf, rowOf } from '../topology/faults.ts';
import { acceptedLane, type Lane, masterOf } from '../topology/lane.ts';
import type { FaultStep } from '../topology/topology.ts';
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
    const { ends } = rowOf(step.action);
    // The master carries an expulsion out, and meets the end of the client's other socket: if it lived that long.
    if (ends === undefined || !readsBeyond(facts, masterOf(client.bus), top)) continue;
    yield { lane: acceptedLane(client.bus, client.name), fault: step };
    if (ends === 'place' && readsBeyond(facts, client.name, Infinity))
      yield { lane: client.name, fault: step };
  }
}

/**
 * Whether the party reads all messages of the steps up to this one, and so meets the ends that they bring. An expelled
 * client is not waited for in the step, but when all that is left is read at the end of the run.
 */
export function readsBeyond({ crashed, clients, steps }: Facts, agent: string, top: number): boolean {
  const manual = clients.get(agent)?.receive === 'manual';
  const until = readsUntil({ agent, manual }, steps.values(), true);
  return !crashed.has(agent) && (until > top || until === Infinity);
}
