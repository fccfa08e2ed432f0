// SPDX-License-Identifier: MIT
/** Limits of descriptors: whose process may have one, and what such a client cannot do. */

import type { Step } from '../topology/topology.ts';
import { type Context, change, type Done, impossible, needClient } from './fault-context.ts';
import type { Scope } from './scope.ts';

export function limit(context: Context, target: string, fds: number | 'unlimited'): Done | undefined {
  if (target.endsWith('.master')) {
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
  const all = flat(steps);
  const limits = new Map<string, number>();
  for (const step of all) {
    if (step.kind !== 'fault' || step.action.fault !== 'limit') continue;
    const { client } = step.action;
    if (!limits.has(client)) limits.set(client, step.place.line);
  }
  for (const step of all) {
    if (step.kind !== 'send' || step.from.kind !== 'client' || step.fds.length === 0) continue;
    const line = limits.get(step.from.name);
    if (line === undefined) continue;
    const message = `"${step.from.name}" is limited at line ${line}, and makes no pipes to pass`;
    const path = [...(paths.get(step.id) ?? []), 'send', 'fds'];
    problems.error(path, { code: 'impossible', message, hint: 'Let another client send them.' });
  }
}

const flat = (steps: readonly Step[]): Step[] =>
  steps.flatMap((step) => (step.kind === 'parallel' ? step.branches.flatMap(flat) : [step]));
