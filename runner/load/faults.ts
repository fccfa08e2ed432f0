// SPDX-License-Identifier: MIT
/** Faults as written → actions, and what they do to the world. */

import type { FaultAction } from '../topology/faults.ts';
import { busOfMaster } from '../topology/lane.ts';
import type { FaultStep, Sender } from '../topology/topology.ts';
import { type Context, change, type Done, impossible, needMaster } from './fault-context.ts';
import { limit } from './limits.ts';
import { limitMemory } from './memory.ts';
import { sender } from './parties.ts';
import { policy, reading } from './policies.ts';
import { size } from './scalars.ts';
import type { WrittenFault } from './schema-faults.ts';
import type { Where } from './sends.ts';
import type { Change, World } from './world.ts';

type Verb = FaultAction['fault'];

export const contextOf = ({ scope, world, path }: Where, verb: string): Context => ({
  scope,
  world,
  path: [...path, 'fault', verb],
  line: scope.tree.place(path).line,
});

export function resolveFault(where: Where, fault: WrittenFault): FaultStep | undefined {
  const { scope, world, id, path } = where;
  const verb = Object.keys(fault).find(
    (key) => !['on', 'address', 'count', 'fds', 'memory', 'rule', 'at', 'for'].includes(key),
  ) as Verb;
  const target = String(fault[verb]);
  const context = contextOf(where, verb);
  const done = actionOf(context, verb, target, fault);
  if (done === undefined) return undefined;
  world.apply(done.change);
  return { kind: 'fault', id, action: done.action, place: scope.tree.place(path) };
}

function actionOf(context: Context, verb: Verb, target: string, fault: WrittenFault): Done | undefined {
  switch (verb) {
    case 'kill':
    case 'stop':
    case 'pause':
    case 'resume':
      return signal(context, verb, target);
    case 'leave':
    case 'close-listener':
      return leave(context, verb, target);
    case 'read':
    case 'stop-reading':
      return reading(context, verb, context.scope.incarnation(target), fault.count);
    case 'limit':
      return 'memory' in fault
        ? limitMemory(context, target, size(String(fault.memory)))
        : limit(context, target, fault.fds as number | 'unlimited');
    default:
      return policy(context, verb, context.scope.incarnation(target), fault);
  }
}

function signal(
  context: Context,
  fault: 'kill' | 'stop' | 'pause' | 'resume',
  target: string,
): Done | undefined {
  const { scope, world, path, line } = context;
  const who = sender(scope, target, path);
  const state = who && world.party(who);
  if (who === undefined || state === undefined) return undefined;
  const dead = state.gone !== undefined && ['killed', 'stopped'].includes(state.gone.how);
  if (dead) return impossible(context, `"${target}" was ${state.gone?.how} at line ${state.gone?.line}`);
  if (fault === 'resume' && state.paused === undefined && !world.concurrent) {
    return impossible(context, `"${target}" is not paused`, `Put - fault: { pause: ${target} } before it.`);
  }
  return { action: { fault, target: who } as FaultAction, change: signalChange(fault, who, line) };
}

function signalChange(fault: 'kill' | 'stop' | 'pause' | 'resume', who: Sender, line: number): Change {
  if (fault === 'pause' || fault === 'resume') {
    return (world) => {
      const state = world.party(who);
      if (state === undefined) return;
      if (fault === 'pause') state.paused = { line };
      else delete state.paused;
    };
  }
  const how = fault === 'kill' ? 'killed' : 'stopped';
  if (who.kind === 'master') return (world) => masterGone(world, who.bus, how, line);
  return change(who.name, { gone: { how, line } });
}

/** Clients that have not joined lose their only party; the others stay (af_bus.md section 5). */
function masterGone(world: World, bus: string, how: 'killed' | 'stopped' | 'left', line: number): void {
  const state = world.master(bus);
  if (state !== undefined) state.gone = { how, line };
  for (const client of world.present(bus)) if (!client.joined) client.gone = { how: 'disconnected', line };
}

function leave(context: Context, fault: 'leave' | 'close-listener', target: string): Done | undefined {
  const { scope, path, line } = context;
  const name = busOfMaster(target) ?? target;
  if (scope.names.find(name, ['bus'], path) === undefined) return undefined;
  if (needMaster(context, name) === undefined) return undefined;
  const left: Change = (world) => masterGone(world, name, 'left', line);
  const deaf: Change = (world) => {
    const state = world.master(name);
    if (state !== undefined) state.deaf ??= { line };
  };
  return { action: { fault, bus: name }, change: fault === 'leave' ? left : deaf };
}
