// SPDX-License-Identifier: MIT
/** Where a check reports: each step has a place in the file. */

import type { Path } from '../../common/diagnostic.ts';
import type { FaultAction } from '../../topology/faults.ts';
import type { FaultStep } from '../../topology/topology.ts';
import { type Scope, validEntries } from '../resolve/index.ts';

export type Places = Pick<Scope, 'problems' | 'paths'>;

/**
 * The path of a fault. The steps made of a `kill-node` or of the end of a `for` are not in the file: it is that of
 * their fault.
 */
export function pathOf({ paths }: Places, { id, action }: FaultStep): Path {
  const own = paths.get(id);
  if (own !== undefined) return [...own, 'fault', verbOf(action)];
  return [...(paths.get(id.replace(/\.(b\d+\.\d+|end)$/, '')) ?? []), 'fault'];
}

/** The verb as the file writes it. */
const verbOf = (action: FaultAction): string =>
  action.fault === 'kill' && action.memory !== undefined ? 'limit' : action.fault;

/** The clients as the file writes them, each with its path. */
export const writtenClients = (scope: Scope) => validEntries(scope, 'clients', scope.written.clients);
