// SPDX-License-Identifier: MIT
/** Faults in branches of `parallel` that cannot be carried out, whichever branch comes first. */

import { type FaultAction, rowOf, subjectOf } from '../../topology/faults.ts';
import { partyOf } from '../../topology/lane.ts';
import { areConcurrent, faultsIn, type Visit } from '../../topology/steps.ts';
import type { FaultStep, ParallelStep } from '../../topology/topology.ts';
import type { PartyState, Scope } from '../resolve/index.ts';
import { checkConcurrentRules } from './concurrent-rules.ts';
import { pathOf } from './places.ts';

interface Explanation {
  readonly message: string;
  readonly hint: string;
}

/**
 * Reports the second of two faults in different branches if only one of them can be carried out, and faults that
 * nothing in any branch prepares. Faults of one branch have an order, so resolving has checked them already. `before`
 * is the state at the start of the step.
 */
export function checkConcurrentFaults(scope: Scope, before: PartyState, parallel: ParallelStep): void {
  const faults = faultsIn(parallel);
  const all = faults.map(({ step }) => step.action);
  const first = new Map<string, Visit<FaultStep>>();
  for (const fault of faults) {
    const once = onceOnly(scope, fault.step.action, all);
    const other = first.get(once?.what ?? '');
    if (once && !other) first.set(once.what, fault);
    if (once && other && areConcurrent(other, fault)) {
      const message = `${once.message} in another branch, at line ${other.step.place.line}`;
      const hint = 'Only the first of the two can be carried out: remove one of them.';
      scope.problems.error(pathOf(scope, fault.step), { code: 'impossible', message, hint });
    }
  }
  checkPrepared(scope, before, faults);
  checkConcurrentRules(scope, before, faults);
}

/** Reports faults that can be played but change nothing. */
function checkPrepared(scope: Scope, before: PartyState, faults: readonly Visit<FaultStep>[]): void {
  const all = faults.map(({ step }) => step.action);
  const said = new Set<string>();
  for (const { step } of faults) {
    const words = lacking(before, step.action, all);
    if (words === undefined || said.has(words.message)) continue;
    said.add(words.message);
    scope.problems.warning(pathOf(scope, step), { code: 'impossible', ...words });
  }
}

/** What another fault would have to do first, if none does. */
function lacking(
  before: PartyState,
  action: FaultAction,
  all: readonly FaultAction[],
): Explanation | undefined {
  if (action.fault === 'resume') {
    const { target } = action;
    const state = before.party(target);
    const name = partyOf(target);
    const pauses = (each: FaultAction) =>
      each.fault === 'pause' && JSON.stringify(each.target) === JSON.stringify(target);
    if (state?.paused !== undefined || all.some(pauses)) return undefined;
    return { message: `"${name}" is not paused`, hint: `Put - fault: { pause: ${name} } before it.` };
  }
  if (action.fault === 'read') {
    const { client } = action;
    const stops = (each: FaultAction) => each.fault === 'stop-reading' && each.client === client;
    if (!before.client(client)?.reading || all.some(stops)) return undefined;
    const hint = 'Give it `receive: manual`, or put - fault: { stop-reading: … } before it.';
    return { message: `"${client}" reads by itself`, hint };
  }
  return undefined;
}

interface Once {
  /** The same text for all faults of which only one can be carried out. */
  readonly what: string;
  readonly message: string;
}

/** A fault that can be carried out only once; undefined if another fault of the step may make it possible again. */
function onceOnly(scope: Scope, action: FaultAction, all: readonly FaultAction[]): Once | undefined {
  switch (action.fault) {
    case 'kill':
    case 'stop': {
      const { target } = action;
      const name = partyOf(target);
      return { what: `end ${name}`, message: `"${name}" ends` };
    }
    case 'leave':
      return { what: `leave ${action.bus}`, message: `the master of bus "${action.bus}" leaves` };
    case 'expel':
      return { what: `expel ${action.client}`, message: `"${action.client}" is expelled` };
    case 'join':
      return { what: `join ${action.client}`, message: `"${action.client}" joins` };
    case 'add-address': {
      const bus = scope.clients.get(action.client)?.bus;
      if (all.some((other) => frees(other, action.address))) return undefined;
      return { what: `add ${bus} ${action.address}`, message: `${action.address} is given to a client` };
    }
    case 'del-address': {
      const { client, address } = action;
      const back = all.some((other) => other.fault === 'add-address' && other.address === address);
      return back
        ? undefined
        : { what: `del ${client} ${address}`, message: `${address} is taken from its client` };
    }
    default:
      return undefined;
  }
}

/** Whether the fault may free the address: it takes the address away, or it ends a client that may hold it. */
function frees(action: FaultAction, address: string): boolean {
  if (action.fault === 'del-address') return action.address === address;
  return rowOf(action).ends !== undefined && subjectOf(action).kind === 'client';
}
