// SPDX-License-Identifier: MIT
/** What a master does to one of its clients, and what makes a client read. */

import type { FaultAction } from '../topology/faults.ts';
import { checkAssignable } from './addresses.ts';
import { type Context, change, type Done, impossible, needClient, needMaster } from './fault-context.ts';
import { matching } from './rules.ts';
import type { WrittenFault } from './schema-faults.ts';
import type { ClientState } from './world.ts';

/** An expelled client still reads what is in its queue (af_bus.md section 5). */
export function reading(
  context: Context,
  fault: 'read' | 'stop-reading',
  target: string,
  count: unknown,
): Done | undefined {
  const state = needClient(context, target, 'running');
  if (state === undefined) return undefined;
  if (fault === 'stop-reading') {
    return {
      action: { fault, client: target },
      change: change(target, { reading: false }),
    };
  }
  if (state.reading && !context.world.concurrent) {
    const hint = 'Give it `receive: manual`, or put - fault: { stop-reading: … } before it.';
    return impossible(context, `"${target}" reads by itself`, hint);
  }
  const n = typeof count === 'number' ? count : 'all';
  return {
    action: { fault, client: target, count: n },
    change: change(target, { reading: n === 'all' }),
  };
}

/** Policy needs a master and a client that are still there. */
export function policy(
  context: Context,
  fault: FaultAction['fault'],
  target: string,
  written: WrittenFault,
): Done | undefined {
  const state = needClient(context, target, 'attached');
  if (state === undefined) return undefined;
  if (needMaster(context, state.bus) === undefined) return undefined;
  const { line } = context;
  switch (fault) {
    case 'expel':
      return {
        action: { fault, client: target },
        change: change(target, { gone: { how: 'expelled', line } }),
      };
    case 'join':
      if (state.joined) return impossible(context, `"${target}" has joined already`);
      return {
        action: { fault, client: target },
        change: change(target, { joined: true }),
      };
    case 'eavesdrop':
      return eavesdrop(context, target, state, written.on !== false);
    case 'add-match':
    case 'remove-match':
      return matching(context, fault, target, state, String(written.rule));
    case 'add-address':
    case 'del-address':
      return addressing(context, fault, target, state, String(written.address).toLowerCase());
    default:
      return undefined;
  }
}

function eavesdrop(context: Context, client: string, state: ClientState, on: boolean): Done | undefined {
  if (!state.joined) return impossible(context, `"${client}" has not joined, so it cannot eavesdrop`);
  return {
    action: { fault: 'eavesdrop', client, on },
    change: change(client, { eavesdrops: on }),
  };
}

function addressing(
  context: Context,
  fault: 'add-address' | 'del-address',
  client: string,
  state: ClientState,
  address: string,
): Done | undefined {
  const path = [...context.path.slice(0, -1), 'address'];
  if (!checkAssignable(context.scope, address, path)) return undefined;
  const holder = context.world.present(state.bus).find((each) => each.addresses.has(address));
  const adds = fault === 'add-address';
  if (adds && holder !== undefined)
    impossible({ ...context, path }, `${address} is held by "${holder.name}"`);
  if (!adds && !state.addresses.has(address))
    impossible({ ...context, path }, `"${client}" does not hold ${address}`);
  const others = [...state.addresses].filter((each) => each !== address);
  const addresses = new Set(adds ? [...others, address] : others);
  return { action: { fault, client, address }, change: change(client, { addresses }) };
}
