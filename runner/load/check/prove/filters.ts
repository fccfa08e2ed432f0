// SPDX-License-Identifier: MIT
/** Filters and buffers that never shorten a message, and those that no message reaches. */
import type { Path } from '../../../common/diagnostic.ts';
import { CLASS, type Filter, RETURN_A } from '../../../common/filter.ts';
import type { Datagrams, Prediction } from '../../../predict/index.ts';
import type { ClientSpec, SendStep, Topology } from '../../../topology/topology.ts';
import { type Places, writtenClients } from '../places.ts';
import { comingTo } from './coming.ts';

/** `longest` makes each message at its maximum length. */
export function checkFilters(
  scope: Parameters<typeof writtenClients>[0],
  prediction: Prediction,
  topology: Topology,
  longest: Datagrams,
): void {
  const cutting = topology.clients.filter(({ filter, buffer }) => filter ?? buffer);
  if (cutting.length === 0) return;
  const coming = comingTo(prediction, topology);
  for (const [, written, path] of writtenClients(scope)) {
    const { line, column } = scope.tree.place(path);
    const here = cutting.filter(({ place }) => place.line === line && place.column === column);
    const [spec] = here;
    if (spec === undefined) continue;
    const steps = here.flatMap(({ name }) => [...(coming.get(name) ?? [])]);
    for (const cut of cutsOf(spec, longest)) {
      if (steps.some(cut.mayCut)) continue;
      const at = written?.[cut.key] === undefined ? path : [...path, cut.key];
      tell(scope, at, spec.name, cut, steps.length > 0);
    }
  }
}

/** A key of a client that leaves out a part of its messages. */
interface Cut {
  readonly key: 'filter' | 'buffer';
  readonly never: string;
  readonly does: string;
  readonly mayCut: (step: SendStep) => boolean;
}

function cutsOf({ filter, buffer }: ClientSpec, longest: Datagrams): Cut[] {
  const cuts: Cut[] = [];
  if (filter !== undefined)
    cuts.push({
      ...{ key: 'filter', never: 'neither shortens nor drops', does: 'shortens or drops' },
      mayCut: (step) => mayFilter(filter, step, longest),
    });
  if (buffer !== undefined)
    cuts.push({
      ...{ key: 'buffer', never: 'does not cut', does: 'cuts' },
      mayCut: (step) => buffer < longest(step, 0).length,
    });
  return cuts;
}

function tell(
  { problems }: Places,
  path: Path,
  name: string,
  { key, never, does }: Cut,
  comes: boolean,
): void {
  const message = comes
    ? `this ${key} has no effect: it ${never} any message that reaches "${name}"`
    : `this ${key} has no effect: no message reaches "${name}"`;
  const hint = comes
    ? `Send a message that it ${does}, or remove it.`
    : `Send "${name}" something, or remove it.`;
  problems.warning(path, { code: 'vacuous', message, hint });
}

/** A program that reads the message counts as cutting: it may see bytes that this check does not know. */
function mayFilter(filter: Filter, step: SendStep, longest: Datagrams): boolean {
  const [only] = filter;
  const isConstant = filter.length === 1 && only !== undefined && (only.code & CLASS_BITS) === CLASS.ret;
  if (!isConstant || (only.code & RETURN_A) !== 0) return true;
  return only.k < longest(step, 0).length;
}

const CLASS_BITS = 0x07;
