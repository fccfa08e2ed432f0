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
export function actorOf(state: BusState, step: Step): Actor | undefined {
  const party = partyThatActs(state, step);
  if (party === undefined) return undefined;
  return { name: partyOf(party), paused: state.actor(party).paused };
}

function partyThatActs(state: BusState, step: Step): Sender | undefined {
  switch (step.kind) {
    case 'send':
      return step.from;
    case 'blocked':
    case 'hangup':
      return { kind: 'client', name: step.client };
    case 'fault':
      return actorOfFault(step.action, (client) => state.party(client).bus);
    case 'parallel':
    case 'dbus':
    case 'program':
      return undefined;
    default:
      return step satisfies never;
  }
}
