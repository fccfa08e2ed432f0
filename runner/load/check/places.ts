// SPDX-License-Identifier: MIT
/** Where a check complains: each step has its place in the file. */

import type { Path } from '../../common/diagnostic.ts';
import type { FaultAction } from '../../topology/faults.ts';
import type { FaultStep } from '../../topology/topology.ts';
import { type Scope, validEntries } from '../resolve/index.ts';

export type Places = Pick<Scope, 'problems' | 'paths'>;

/** Of a fault. Those of a node that is killed, or of the end of a `for`, are steps that the file does not have. */
export function pathOf({ paths }: Places, { id, action }: FaultStep): Path {
  const own = paths.get(id);
  if (own !== undefined) return [...own, 'fault', verbOf(action)];
  return [...(paths.get(id.replace(/\.(b\d+\.\d+|end)$/, '')) ?? []), 'fault'];
}

/** As the file has it. */
const verbOf = (action: FaultAction): string =>
  action.fault === 'kill' && action.memory !== undefined ? 'limit' : action.fault;

/** The clients of a file as they are written there, each with its path. */
export const writtenClients = (scope: Scope) => validEntries(scope, 'clients', scope.written.clients);
