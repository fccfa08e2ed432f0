// SPDX-License-Identifier: MIT
/** What a client whose descriptors are limited cannot do. */
import { faults, sends } from '../../topology/steps.ts';
import type { Step } from '../../topology/topology.ts';
import type { Places } from './places.ts';

/**
 * Reports limited clients that send pipes: a sender needs descriptors for them and holds the reading ends until all
 * receivers have written, so nobody could predict how many descriptors are free.
 */
export function checkLimits({ problems, paths }: Places, steps: readonly Step[]): void {
  const limits = new Map<string, number>();
  for (const { action, place } of faults(steps))
    if (action.fault === 'limit' && !limits.has(action.client)) limits.set(action.client, place.line);
  for (const { id, from, fds } of sends(steps)) {
    if (from.kind !== 'client' || fds.length === 0) continue;
    const line = limits.get(from.name);
    if (line === undefined) continue;
    const message = `"${from.name}" is limited at line ${line}, so it cannot make pipes to pass`;
    const path = [...(paths.get(id) ?? []), 'send', 'fds'];
    problems.error(path, { code: 'impossible', message, hint: 'Let another client send them.' });
  }
}
