// SPDX-License-Identifier: MIT
/** The fault that starts a client again. */
import { busOfMaster, masterOf } from '../../../topology/lane.ts';
import type { ClientSpec, FaultStep, Step } from '../../../topology/topology.ts';
import type { StepContext } from '../step-context.ts';
import { type Context, contextOf, impossible, isDead, needMaster, TOO_LATE } from './context.ts';
import { resolveFault } from './simple.ts';

/** Whether the master exists and listens, so that a client can connect. */
function canConnect(context: Context, bus: string): boolean {
  const master = needMaster(context, bus);
  if (master?.deaf !== undefined) {
    impossible(context, `bus "${bus}" has taken no new clients since line ${master.deaf.line}`, TOO_LATE);
  } else if (master?.paused !== undefined) {
    const { line } = master.paused;
    impossible(
      context,
      `the master of bus "${bus}" has been paused since line ${line}, and admits nobody`,
      `Put - fault: { resume: ${masterOf(bus)} } before it.`,
    );
  } else return master !== undefined;
  return false;
}

/**
 * Kills the process if it still runs, and starts another in its place. For the bus that is another client, with a new
 * prefix-0 address; its messages and sockets are distinguished from those of the first.
 */
export function restart(where: StepContext, target: string): Step[] {
  const { scope, parties, id, path } = where;
  const context = contextOf(where, 'restart');
  if (busOfMaster(target) !== undefined) {
    const message = 'a restarted master would make a new bus, and no client would be on it';
    impossible(context, message, `Write - fault: { kill: ${target} } instead.`);
    return [];
  }
  if (scope.names.find(target, ['client'], context.path) === undefined) return [];
  if (parties.concurrent) {
    const message = '`restart` cannot be played in `parallel`';
    impossible(context, message, 'Put the step before or after `parallel`.');
    return [];
  }
  const before = scope.clients.get(scope.incarnation(target));
  const state = before && parties.client(before.name);
  if (before === undefined || state === undefined) return [];
  if (!canConnect(context, before.bus) || lacksAddress(context, before)) return [];
  const kill = isDead(state) ? undefined : resolveFault({ ...where, id: `${id}.end` }, { kill: target });
  const place = scope.tree.place(path);
  const again: ClientSpec = { ...before, name: scope.startAgain(target), startedByStep: true };
  scope.clients.set(again.name, again);
  parties.apply((later) => later.add(again));
  const start: FaultStep = { kind: 'fault', id, action: { fault: 'start', client: again.name }, place };
  return kill === undefined ? [start] : [kill, start];
}

/** Reports an address that the client gets when it starts, if another client holds it by then. */
function lacksAddress(context: Context, { name, bus, addresses }: ClientSpec): boolean {
  const others = context.parties.present(bus).filter((each) => each.name !== name);
  for (const address of addresses) {
    const holder = others.find((each) => each.addresses.has(address));
    if (holder === undefined) continue;
    const hint = `Put - fault: { del-address: ${holder.name}, address: "${address}" } before it.`;
    impossible(context, `"${name}" gets ${address} when it starts, but "${holder.name}" holds it`, hint);
    return true;
  }
  return false;
}
