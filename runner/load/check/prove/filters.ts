// SPDX-License-Identifier: MIT
/** Filters that never shorten a message, and filters that no message reaches. */
import type { Path } from '../../../common/diagnostic.ts';
import { CLASS, type Filter, RETURN_A } from '../../../common/filter.ts';
import type { Datagrams, Prediction } from '../../../predict/index.ts';
import { sends } from '../../../topology/steps.ts';
import type { ClientSpec, SendStep, Topology } from '../../../topology/topology.ts';
import { type Places, writtenClients } from '../places.ts';

/** `longest` makes each message at its maximum length. */
export function checkFilters(
  scope: Parameters<typeof writtenClients>[0],
  prediction: Prediction,
  topology: Topology,
  longest: Datagrams,
): void {
  const filtered = topology.clients.filter(({ filter }) => filter !== undefined);
  if (filtered.length === 0) return;
  const coming = comingTo(filtered, prediction, topology);
  for (const [, written, path] of writtenClients(scope)) {
    const { line, column } = scope.tree.place(path);
    const here = filtered.filter(({ place }) => place.line === line && place.column === column);
    const [spec] = here;
    if (spec?.filter === undefined) continue;
    const found = here.flatMap(({ name }) => [...(coming.get(name) ?? [])]);
    if (found.some((step) => mayCut(spec.filter as Filter, step, longest))) continue;
    tell(scope, written?.filter === undefined ? path : [...path, 'filter'], spec.name, found.length > 0);
  }
}

function tell({ problems }: Places, path: Path, name: string, comes: boolean): void {
  const message = comes
    ? `this filter has no effect: it neither shortens nor drops any message that comes to "${name}"`
    : `this filter has no effect: no message comes to "${name}"`;
  const hint = comes
    ? 'Send a message that it shortens or drops, or remove it.'
    : `Send "${name}" something, or remove it.`;
  problems.warning(path, { code: 'vacuous', message, hint });
}

/** Client → the sends of which it may get a message. */
function comingTo(
  clients: readonly ClientSpec[],
  prediction: Prediction,
  { steps }: Topology,
): ReadonlyMap<string, ReadonlySet<SendStep>> {
  const coming = new Map(clients.map(({ name }) => [name, new Set<SendStep>()]));
  for (const step of sends(steps)) {
    const seen = new Set<unknown>();
    for (let n = 0; n < step.count; n++) {
      const allowed = prediction.of(step.id, n);
      if (allowed === undefined || seen.has(allowed)) continue;
      seen.add(allowed);
      const { must = [], may = [] } = allowed.delivered ?? {};
      for (const lane of [...must, ...may]) coming.get(lane)?.add(step);
    }
  }
  return coming;
}

/** A program that reads the message counts as cutting: it may see bytes that this check does not know. */
function mayCut(filter: Filter, step: SendStep, longest: Datagrams): boolean {
  const [only] = filter;
  const isConstant = filter.length === 1 && only !== undefined && (only.code & CLASS_BITS) === CLASS.ret;
  if (!isConstant || (only.code & RETURN_A) !== 0) return true;
  return only.k < longest(step, 0).length;
}

const CLASS_BITS = 0x07;
