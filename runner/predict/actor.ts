// SPDX-License-Identifier: MIT
/** Which process carries out a step: while that process is paused, the step does not happen. */
import { actorOf as actorOfFault } from '../topology/faults.ts';
import { partyOf } from '../topology/lane.ts';
import type { Sender, Step } from '../topology/topology.ts';
import type { BusState } from './bus-state.ts';

export interface Actor {
  readonly name: string;
  readonly paused: boolean;
}

/** Undefined if no process of the file has to act. */
export function actorOf(world: BusState, step: Step): Actor | undefined {
  const party = partyThatActs(world, step);
  if (party === undefined) return undefined;
  return { name: partyOf(party), paused: world.actor(party).paused };
}

function partyThatActs(world: BusState, step: Step): Sender | undefined {
  switch (step.kind) {
    case 'send':
      return step.from;
    case 'blocked':
    case 'hangup':
      return { kind: 'client', name: step.client };
    case 'fault':
      return actorOfFault(step.action, (client) => world.party(client).bus);
    case 'parallel':
    case 'dbus':
      return undefined;
  }
}
