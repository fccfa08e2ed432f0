// SPDX-License-Identifier: MIT
/** Whose doing a step is: a process that is paused does nothing, and so nothing comes of the step. */
import type { FaultAction, Sender, Step } from '../topology/topology.ts';
import type { World } from './world.ts';

export interface Actor {
  readonly name: string;
  readonly paused: boolean;
}

/** Undefined where no process of the file has to do anything itself. */
export function actorOf(world: World, step: Step): Actor | undefined {
  switch (step.kind) {
    case 'send':
      return party(world, step.from);
    case 'blocked':
    case 'hangup':
      return client(world, step.client);
    case 'fault':
      return actorOfFault(world, step.action);
    case 'parallel':
      return undefined;
  }
}

function actorOfFault(world: World, action: FaultAction): Actor | undefined {
  switch (action.fault) {
    case 'kill':
    case 'pause':
    case 'resume':
    case 'start':
      return undefined;
    case 'stop':
      return party(world, action.target);
    case 'leave':
    case 'close-listener':
      return master(world, action.bus);
    case 'read':
    case 'stop-reading':
    case 'limit':
      return client(world, action.client);
    default:
      return master(world, world.party(action.client).bus);
  }
}

const party = (world: World, who: Sender): Actor =>
  who.kind === 'client' ? client(world, who.name) : master(world, who.bus);

const client = (world: World, name: string): Actor => ({ name, paused: world.party(name).paused });

const master = (world: World, bus: string): Actor => ({
  name: `${bus}.master`,
  paused: world.host(bus).paused,
});
