// SPDX-License-Identifier: MIT
/** Where a check reports: each step has a place in the file. */

import type { DiagnosticText, Path } from '../../common/diagnostic.ts';
import type { FaultAction } from '../../topology/faults.ts';
import type { BusLimits, MessageBusSpec } from '../../topology/message-bus.ts';
import type { FaultStep } from '../../topology/topology.ts';
import { type Scope, validEntries } from '../resolve/index.ts';

export type Places = Pick<Scope, 'problems' | 'paths' | 'tree'>;

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

/** Warns of a limit of buses that do not show it. One from the defaults is for all: it is enough if one shows it. */
export function warnUnshown(
  { problems, tree }: Places,
  buses: readonly MessageBusSpec[],
  limit: keyof BusLimits,
  isShown: (bus: string) => boolean,
  words: (bus: string) => Pick<DiagnosticText, 'message' | 'hint'>,
): void {
  const pathOfLimit = (bus: string): Path => ['buses', bus, 'master', 'limits', limit];
  const placeOf = (bus: string) => JSON.stringify(tree.place(pathOfLimit(bus)));
  const limited = buses.filter(({ limits }) => limits[limit] !== undefined).map(({ name }) => name);
  const shown = new Set(limited.filter(isShown).map(placeOf));
  for (const bus of limited)
    if (!shown.has(placeOf(bus))) problems.warning(pathOfLimit(bus), { code: 'vacuous', ...words(bus) });
}
