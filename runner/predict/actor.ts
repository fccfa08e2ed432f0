// SPDX-License-Identifier: MIT
/** Whose doing a step is: a process that is paused does nothing, and so nothing comes of the step. */
import { actorOf as actorOfFault } from '../topology/faults.ts';
import { partyOf } from '../topology/lane.ts';
import type { Sender, Step } from '../topology/topology.ts';
import type { BusState } from './bus-state.ts';

export interface Actor {
  readonly name: string;
  readonly paused: boolean;
}

/** Undefined where no process of the file has to do anything itself. */
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
