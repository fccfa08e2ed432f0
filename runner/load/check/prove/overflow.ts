// SPDX-License-Identifier: MIT
/** `overflow: fail` or `evict` on a bus whose queues are never full. */
import type { Prediction } from '../../../predict/index.ts';
import { sends } from '../../../topology/steps.ts';
import type { BusSpec, Topology } from '../../../topology/topology.ts';
import type { Places } from '../places.ts';
import { busOfSender } from './parties.ts';

const FULL = 'ENOBUFS';

/** `predicted` returns the prediction for another topology with the same steps. */
export function checkOverflow(
  { problems }: Places,
  topology: Topology,
  predicted: (topology: Topology) => Prediction,
): void {
  const strict = topology.buses.filter(({ overflow }) => overflow !== 'block');
  if (strict.length === 0) return;
  const buses = topology.buses.map(
    (bus): BusSpec => ({ ...bus, overflow: strict.includes(bus) ? 'fail' : 'block' }),
  );
  // A bus that evicts does so when a bus that fails would fail; until then both behave the same, so `fail` stands for
  // both.
  const prediction = predicted({ ...topology, buses });
  const busOf = busOfSender(topology);
  const full = new Set<string>();
  const used = new Set<string>();
  for (const { id, from, count } of sends(topology.steps)) {
    const bus = busOf(from);
    used.add(bus);
    for (let n = 0; n < count && !full.has(bus); n++)
      if (prediction.of(id, n)?.errors.includes(FULL)) full.add(bus);
  }
  for (const { name, overflow } of strict) {
    if (full.has(name) || !used.has(name)) continue;
    problems.warning(['buses', name, 'overflow'], {
      code: 'vacuous',
      message: `no queue on bus "${name}" is ever full, so \`overflow: ${overflow}\` changes nothing`,
      hint: 'Send more than a queue takes to a client that does not read (receive: manual), or remove it.',
    });
  }
}
