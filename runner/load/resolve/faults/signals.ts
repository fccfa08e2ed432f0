// SPDX-License-Identifier: MIT
/** Signals to processes, and what a master does with its own sockets. */
import type { FaultAction } from '../../../topology/faults.ts';
import { busOfMaster } from '../../../topology/lane.ts';
import type { Sender } from '../../../topology/topology.ts';
import { sender } from '../parties.ts';
import type { Change, PartyState } from '../party-state.ts';
import {
  type Context,
  change,
  type Done,
  impossible,
  needMaster,
  type Resolver,
  TOO_LATE,
  vacuous,
} from './context.ts';

type Signal = 'kill' | 'stop' | 'pause' | 'resume';

export const signals = {
  kill: (context, target) => signal(context, 'kill', target),
  stop: (context, target) => signal(context, 'stop', target),
  pause: (context, target) => signal(context, 'pause', target),
  resume: (context, target) => signal(context, 'resume', target),
  leave: (context, target) => leave(context, 'leave', target),
  'close-listener': (context, target) => leave(context, 'close-listener', target),
} satisfies Readonly<Record<string, Resolver>>;

function signal(context: Context, fault: Signal, target: string): Done | undefined {
  const { scope, parties, path, line } = context;
  const who = sender(scope, target, path);
  const state = who && parties.party(who);
  if (who === undefined || state === undefined) return undefined;
  const dead = state.gone !== undefined && ['killed', 'stopped'].includes(state.gone.how);
  if (dead)
    return impossible(context, `"${target}" was ${state.gone?.how} at line ${state.gone?.line}`, TOO_LATE);
  if (fault === 'resume' && state.paused === undefined && !parties.concurrent) {
    return impossible(context, `"${target}" is not paused`, `Put - fault: { pause: ${target} } before it.`);
  }
  if (fault === 'pause' && state.paused !== undefined && !parties.concurrent)
    vacuous(context, `"${target}" has been paused since line ${state.paused.line}`);
  return { action: { fault, target: who } as FaultAction, change: signalChange(fault, who, line) };
}

function signalChange(fault: Signal, who: Sender, line: number): Change {
  if (fault === 'pause' || fault === 'resume') {
    return (parties) => {
      const state = parties.party(who);
      if (state === undefined) return;
      if (fault === 'pause') state.paused = { line };
      else delete state.paused;
    };
  }
  const how = fault === 'kill' ? 'killed' : 'stopped';
  if (who.kind === 'master') return (parties) => masterGone(parties, who.bus, how, line);
  return change(who.name, { gone: { how, line } });
}

/** Clients that have not joined lose the only party they can talk to; the others stay (af_bus.md section 5). */
function masterGone(
  parties: PartyState,
  bus: string,
  how: 'killed' | 'stopped' | 'left',
  line: number,
): void {
  const state = parties.master(bus);
  if (state !== undefined) state.gone = { how, line };
  for (const client of parties.present(bus)) if (!client.joined) client.gone = { how: 'disconnected', line };
}

function leave(context: Context, fault: 'leave' | 'close-listener', target: string): Done | undefined {
  const { scope, path, line } = context;
  const name = busOfMaster(target) ?? target;
  if (scope.names.find(name, ['bus'], path) === undefined) return undefined;
  if (needMaster(context, name) === undefined) return undefined;
  const left: Change = (parties) => masterGone(parties, name, 'left', line);
  const deaf: Change = (parties) => {
    const state = parties.master(name);
    if (state !== undefined) state.deaf ??= { line };
  };
  return { action: { fault, bus: name }, change: fault === 'leave' ? left : deaf };
}
