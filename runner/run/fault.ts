// SPDX-License-Identifier: MIT
/** Carries out faults: what the file does to a party on purpose. */

import type { FaultOrder } from '../agent/protocol.ts';
import {
  actorOf,
  type FaultAction,
  faultText,
  type OrderedFault,
  readingEffect,
  rowOf,
  type Signal,
  signalOf,
} from '../topology/faults.ts';
import { partyOf } from '../topology/lane.ts';
import type { FaultStep, Sender } from '../topology/topology.ts';
import { attachOne } from './attach.ts';
import type { RunContext } from './context.ts';
import type { Answer } from './waits.ts';

/**
 * Resolves when the fault has taken effect, with the answer of the agent or node that did it; rejects with OrderFailed
 * if it had none.
 */
export function playFault(context: RunContext, step: FaultStep): Promise<Answer> {
  const { action } = step;
  const sent = signalOf(action);
  if (action.fault === 'kill' && action.memory !== undefined) return limitMemory(context, step, action);
  if (action.fault === 'start') return start(context, step, action.client);
  if (sent !== undefined) return signal(context, step, (action as Signalled).target, sent);
  return order(context, step, action as OrderedFault);
}

type Signalled = Extract<FaultAction, { readonly target: unknown }>;
type OutOfMemory = Extract<FaultAction, { readonly memory: number }>;

async function signal(context: RunContext, step: FaultStep, target: Sender, signal: Signal): Promise<Answer> {
  const { agents, parties } = context;
  const agent = partyOf(target);
  const state = target.kind === 'client' ? parties.client(target.name) : parties.bus(target.bus);
  if (signal === 'SIGSTOP') state.paused = true;
  const ends = signal === 'SIGKILL' || signal === 'SIGTERM';
  if (ends && !state.paused)
    await agents.call(agent, { do: 'report' }, { what: `${agent} to tell what it saw`, step });
  const answer = await agents.signal(agent, signal, { what: `${signal} to take effect on ${agent}`, step });
  if (signal === 'SIGSTOP') agents.waits.paused(agent);
  if (signal === 'SIGCONT') state.paused = false;
  if (target.kind === 'master' && !agents.alive(agent)) disconnectOthers(context, target.bus);
  return answer;
}

/** Its beginning is the call of connect(): the bus sees nothing of a process before. */
async function start(context: RunContext, step: FaultStep, client: string): Promise<Answer> {
  await context.agents.start(client, { what: `the process of ${client} to start`, step });
  return attachOne(context, context.parties.client(client));
}

function limitMemory(
  { agents }: RunContext,
  step: FaultStep,
  { target, memory }: OutOfMemory,
): Promise<Answer> {
  const what = `${target.name} to reach its limit of memory: what it sends must stay unread`;
  return agents.limitMemory(target.name, memory, { what, step });
}

/** Faults that a client or a master carries out itself. */
async function order(context: RunContext, step: FaultStep, action: OrderedFault): Promise<Answer> {
  const { agents, parties } = context;
  const actor = actorOf(action, (client) => parties.client(client).spec.bus);
  const agent = actor === undefined ? '' : partyOf(actor);
  begin(context, action);
  const what = `${agent} to do "${faultText(action)}"`;
  const answer = await agents.call(agent, orderOf(action), { what, step });
  // Otherwise it was killed before it could carry the order out.
  if (!answer.gone) done(context, action);
  return answer;
}

const orderOf = ({ fault, ...rest }: OrderedFault): FaultOrder => ({ do: fault, ...rest }) as FaultOrder;

/** Notes what no longer holds from the order on, whenever it is carried out. */
function begin({ parties }: RunContext, action: OrderedFault): void {
  if (action.fault === 'leave') parties.bus(action.bus).left = true;
  const effect = readingEffect(action);
  // A client that reads a number of messages stops reading by itself.
  if ('client' in action && (effect === 'stops' || effect === 'reads some'))
    parties.client(action.client).reading = false;
}

/** Notes what holds after the fault was carried out. */
function done(context: RunContext, action: OrderedFault): void {
  if ('bus' in action) {
    if (action.fault === 'leave') disconnectOthers(context, action.bus);
    return;
  }
  const client = context.parties.client(action.client);
  if (action.fault === 'join') client.joined = true;
  if (rowOf(action).ends !== undefined) client.ended = true;
  if (readingEffect(action) === 'reads on') client.reading = true;
}

/**
 * The kernel disconnects clients that have not joined when their master is gone, as they have nobody else to talk to.
 */
function disconnectOthers({ parties }: RunContext, bus: string): void {
  for (const client of parties.bus(bus).clients) if (!client.joined) client.ended = true;
}
