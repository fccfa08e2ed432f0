// SPDX-License-Identifier: MIT
/** What the filters of its recipients leave of a message: they run before it is queued (af_bus.md 3.7). */
import { drawBody, ENVELOPE_SIZE, encode, IDENTITY_SIZE } from '../common/envelope.ts';
import { InvalidInput } from '../common/errors.ts';
import { type Filter, runFilter } from '../common/filter.ts';
import { seal } from '../dbus/index.ts';
import type { Lane } from '../topology/lane.ts';
import type { ClientSpec, SendStep } from '../topology/topology.ts';
import type { Expected } from './plan.ts';

/** A message as far as filters see it. */
export interface Outgoing {
  readonly step: SendStep;
  readonly seed: number;
  readonly number: number;
  readonly length: number;
  readonly name: string;
}

/** The run's nonce is drawn when it starts; a filter that looks at it has no answer that can be known before. */
const NO_NONCE = 0;

/** The lanes that it reaches, and how much of it where that is not all. Throws InvalidInput for a copy that nobody could tell. */
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
  const datagram = datagramOf(message);
  const kept = new Map(filters.map(([lane, filter]) => [lane, runFilter(filter, datagram)]));
  for (const [lane, bytes] of kept) if (bytes > 0 && bytes < IDENTITY_SIZE) refuse(lane, bytes, message);
  const cuts = new Map([...kept].filter(([, bytes]) => bytes > 0 && bytes < message.length));
  const taken = (lanes: readonly Lane[]) => lanes.filter((lane) => kept.get(lane) !== 0);
  const { lanes, may } = expected;
  return {
    expected: { ...expected, lanes: taken(lanes), ...(may && { may: taken(may) }) },
    ...(cuts.size > 0 && { cuts }),
  };
}

/** Its bytes on the wire, but for the run's nonce. */
export function datagramOf({ step, seed, number, length }: Omit<Outgoing, 'name'>): Uint8Array {
  if (step.dbus) return seal('message', NO_NONCE, number, step.dbus);
  const body = step.payload ?? drawBody(seed, number, length - ENVELOPE_SIZE);
  return encode('message', NO_NONCE, number, body);
}

function refuse(lane: Lane, bytes: number, { step, name }: Outgoing): never {
  const { file, line } = step.place;
  throw new InvalidInput(
    `${file}:${line}: the filter of "${lane}" leaves ${bytes} bytes of ${name}, too few to tell which message that is`,
    `let it keep ${IDENTITY_SIZE} bytes or more, or none`,
  );
}
