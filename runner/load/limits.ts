// SPDX-License-Identifier: MIT
/** Limits of descriptors: whose process may have one, and what such a client cannot do. */

import { busOfMaster } from '../topology/lane.ts';
import { faults, sends } from '../topology/steps.ts';
import type { Step } from '../topology/topology.ts';
import { type Context, change, type Done, impossible, needClient } from './fault-context.ts';
import type { Scope } from './scope.ts';

export function limit(context: Context, target: string, fds: number | 'unlimited'): Done | undefined {
  if (busOfMaster(target) !== undefined) {
    return impossible(context, 'a master without descriptors accepts nobody', 'Limit one of its clients.');
  }
  const client = context.scope.incarnation(target);
  const state = needClient(context, client, 'running');
  if (state === undefined) return undefined;
  if (fds === 'unlimited' && state.limited === undefined && !context.world.concurrent) {
    return impossible(
      context,
      `"${target}" has no limit`,
      `Put - fault: { limit: ${target}, fds: 3 } before it.`,
    );
  }
  const limited = fds === 'unlimited' ? undefined : { line: context.line };
  return { action: { fault: 'limit', client, fds }, change: change(client, { limited }) };
}

/**
 * Who passes a pipe needs descriptors for it, and holds the reading end until all have written: with those how many
 * are free could not be said.
 */
export function checkLimits({ problems, paths }: Scope, steps: readonly Step[]): void {
  const limits = new Map<string, number>();
  for (const { action, place } of faults(steps))
    if (action.fault === 'limit' && !limits.has(action.client)) limits.set(action.client, place.line);
  for (const { id, from, fds } of sends(steps)) {
    if (from.kind !== 'client' || fds.length === 0) continue;
    const line = limits.get(from.name);
    if (line === undefined) continue;
    const message = `"${from.name}" is limited at line ${line}, and makes no pipes to pass`;
    const path = [...(paths.get(id) ?? []), 'send', 'fds'];
    problems.error(path, { code: 'impossible', message, hint: 'Let another client send them.' });
  }
}
