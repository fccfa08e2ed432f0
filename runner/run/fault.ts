// SPDX-License-Identifier: MIT
/** Faults: what the file has done to a party, on purpose. */

import type { Order, Signal } from '../agent/protocol.ts';
import { sizeInWords } from '../common/size.ts';
import { masterOf } from '../topology/lane.ts';
import type { FaultAction, FaultStep, Sender } from '../topology/topology.ts';
import { attachOne } from './attach.ts';
import type { Stage } from './stage.ts';

/** Resolves when it has taken effect; rejects with OrderFailed where it had none. */
export async function playFault(stage: Stage, step: FaultStep): Promise<void> {
  const { action } = step;
  switch (action.fault) {
    case 'kill':
      if (action.memory !== undefined) return limitMemory(stage, step, action);
      return signal(stage, step, action.target, 'SIGKILL');
    case 'stop':
      return signal(stage, step, action.target, 'SIGTERM');
    case 'pause':
      return signal(stage, step, action.target, 'SIGSTOP');
    case 'resume':
      return signal(stage, step, action.target, 'SIGCONT');
    case 'read':
      return read(stage, step, action);
    case 'stop-reading':
      return stopReading(stage, step, action.client);
    case 'limit':
      return limit(stage, step, action);
    case 'start':
      return start(stage, step, action.client);
    default:
      return policy(stage, step, action);
  }
}

async function signal(stage: Stage, step: FaultStep, target: Sender, signal: Signal): Promise<void> {
  const { agents, parties } = stage;
  const agent = target.kind === 'client' ? target.name : masterOf(target.bus);
  const state = target.kind === 'client' ? parties.client(target.name) : parties.bus(target.bus);
  if (signal === 'SIGSTOP') state.paused = true;
  await agents.signal(agent, signal, { what: `${signal} to take effect on ${agent}`, step });
  if (signal === 'SIGCONT') state.paused = false;
  if (target.kind === 'master' && !agents.alive(agent)) disconnectOthers(stage, target.bus);
}

async function start(stage: Stage, step: FaultStep, client: string): Promise<void> {
  await stage.agents.start(client, { what: `the process of ${client} to start`, step });
  await attachOne(stage, stage.parties.client(client));
}

async function stopReading({ agents, parties }: Stage, step: FaultStep, client: string): Promise<void> {
  parties.client(client).reading = false;
  await agents.call(client, { do: 'stop-reading' }, { what: `${client} to stop reading`, step });
}

type Read = Extract<FaultAction, { fault: 'read' }>;

async function read({ agents, parties }: Stage, step: FaultStep, { client, count }: Read): Promise<void> {
  const what = `${client} to read ${count === 'all' ? 'all it has' : `${count} messages`}`;
  // Who reads so many does not read by itself any more.
  if (count !== 'all') parties.client(client).reading = false;
  await agents.call(client, { do: 'read', count }, { what, step });
  if (count === 'all') parties.client(client).reading = true;
}

type Limit = Extract<FaultAction, { fault: 'limit' }>;

async function limit({ agents }: Stage, step: FaultStep, { client, fds }: Limit): Promise<void> {
  await agents.call(client, { do: 'limit', fds }, { what: `${client} to limit its descriptors`, step });
}

type OutOfMemory = Extract<FaultAction, { readonly memory: number }>;

async function limitMemory(
  { agents }: Stage,
  step: FaultStep,
  { target, memory }: OutOfMemory,
): Promise<void> {
  const what = `${target.name} to come to its limit of memory: what it sends must stay unread`;
  await agents.limitMemory(target.name, memory, { what, step });
}

/** What a master does. */
type Policy = Exclude<FaultAction, Read | Limit | { target: Sender } | { fault: 'start' }>;

async function policy(stage: Stage, step: FaultStep, action: Policy): Promise<void> {
  const { agents, parties } = stage;
  const bus = 'bus' in action ? action.bus : parties.client(action.client).spec.bus;
  if (action.fault === 'leave') parties.bus(bus).left = true;
  const what = `${masterOf(bus)} to ${wordsOf(action)}`;
  const { gone } = await agents.call(masterOf(bus), orderOf(action), { what, step });
  // It was killed before it could.
  if (gone) return;
  if (action.fault === 'leave') disconnectOthers(stage, bus);
  else if (action.fault === 'join') parties.client(action.client).joined = true;
  else if (action.fault === 'expel') parties.client(action.client).ended = true;
}

function orderOf(action: Policy): Order {
  switch (action.fault) {
    case 'leave':
    case 'close-listener':
      return { do: action.fault };
    case 'eavesdrop':
      return { do: action.fault, client: action.client, on: action.on };
    case 'add-match':
    case 'remove-match':
      return { do: action.fault, client: action.client, rule: action.rule };
    case 'add-address':
    case 'del-address':
      return { do: action.fault, client: action.client, address: action.address };
    default:
      return { do: action.fault as 'join' | 'expel', client: action.client };
  }
}

/** Without a master, a client that has not joined has nobody to talk with: the kernel disconnects it. */
function disconnectOthers({ parties }: Stage, bus: string): void {
  for (const client of parties.bus(bus).clients) if (!client.joined) client.ended = true;
}

/** `join tool-0`, `leave cabin`: a fault as the file says it. */
export function wordsOf(action: FaultAction): string {
  const { fault } = action;
  if (fault === 'kill' && action.memory !== undefined)
    return `limit ${action.target.name} to ${sizeInWords(action.memory)} of memory`;
  if ('target' in action) {
    return `${fault} ${action.target.kind === 'client' ? action.target.name : masterOf(action.target.bus)}`;
  }
  if ('bus' in action) return `${fault} ${action.bus}`;
  if ('address' in action) return `${fault} ${action.address} of ${action.client}`;
  if ('rule' in action) return `${fault} ${JSON.stringify(action.rule)} of ${action.client}`;
  return `${fault} ${action.client}`;
}
