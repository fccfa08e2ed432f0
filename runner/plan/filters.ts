// SPDX-License-Identifier: MIT
/** What the filters of its recipients leave of a message: filters run before it is queued (af_bus.md 3.7). */
import { IDENTITY_SIZE } from '../common/envelope.ts';
import { InvalidInput } from '../common/errors.ts';
import { type Filter, runFilter } from '../common/filter.ts';
import type { Datagram } from '../predict/index.ts';
import type { Lane } from '../topology/lane.ts';
import type { ClientSpec, Place } from '../topology/topology.ts';
import type { Expected } from './plan.ts';

/** A message, as far as filters can see it. */
export interface Outgoing {
  readonly name: string;
  readonly place: Place;
  readonly datagram: Datagram;
}

/**
 * The lanes that get the message, and its length at lanes that get less than all. Throws InvalidInput for a copy that
 * could not be identified.
 */
export function filtered(
  expected: Expected,
  clients: ReadonlyMap<string, ClientSpec>,
  message: Outgoing,
): { readonly expected: Expected; readonly cuts?: ReadonlyMap<Lane, number> } {
  if (expected.kind === 'error') return { expected };
  const filters = [...expected.lanes, ...(expected.may ?? [])].flatMap((lane): [Lane, Filter][] => {
    const filter = clients.get(lane)?.filter;
    return filter === undefined ? [] : [[lane, filter]];
  });
  if (filters.length === 0) return { expected };
  const datagram = message.datagram.bytes();
  const kept = new Map(filters.map(([lane, filter]) => [lane, runFilter(filter, datagram)]));
  for (const [lane, bytes] of kept) if (bytes > 0 && bytes < IDENTITY_SIZE) refuse(lane, bytes, message);
  const cuts = new Map([...kept].filter(([, bytes]) => bytes > 0 && bytes < datagram.length));
  const taken = (lanes: readonly Lane[]) => lanes.filter((lane) => kept.get(lane) !== 0);
  const { lanes, may } = expected;
  return {
    expected: { ...expected, lanes: taken(lanes), ...(may && { may: taken(may) }) },
    ...(cuts.size > 0 && { cuts }),
  };
}

function refuse(lane: Lane, bytes: number, { name, place: { file, line } }: Outgoing): never {
  throw new InvalidInput(
    `${file}:${line}: the filter of "${lane}" leaves ${bytes} bytes of ${name}, too few to tell which message that is`,
    `let it keep ${IDENTITY_SIZE} bytes or more, or none`,
  );
}
