// SPDX-License-Identifier: MIT
/** Send steps → numbered messages with the lanes that must get them. */
import { drawLength, ENVELOPE_SIZE } from '../common/envelope.ts';
import { sealedLength } from '../dbus/index.ts';
import { type Datagrams, predict } from '../predict/index.ts';
import { masterOf } from '../topology/lane.ts';
import type { ClientSpec, SendStep, Step, Topology } from '../topology/topology.ts';
import { shortages } from './descriptors.ts';
import { modelled, writtenExpected } from './expected.ts';
import { datagramOf, filtered } from './filters.ts';
import type { Plan, PlannedMessage } from './plan.ts';

type Numbered = Pick<Plan, 'messages' | 'messagesOf'>;

/** Numbers the messages of all sends in the order of the file, each send's consecutively. */
export function numberMessages(topology: Topology, seed: number): Numbered {
  const { steps, clients } = topology;
  const byName = new Map(clients.map((client): [string, ClientSpec] => [client.name, client]));
  const messagesOf = rangesOf(steps);
  const datagrams = datagramsOf({ messagesOf, seed });
  const prediction = predict(topology, datagrams);
  const shortageOf = shortages(topology);
  const messages: PlannedMessage[] = [];
  const perSender = new Map<string, number>();
  for (const step of sends(steps)) {
    const written = writtenExpected(step, byName, topology.against?.[step.id]);
    const shortage = shortageOf(step);
    for (let n = 0; n < step.count; n++) {
      const number = messages.length;
      const name = nameOf(step, n + 1, perSender);
      const { length } = datagrams(step, n);
      const expected = written ?? modelled(prediction.of(step.id, n));
      messages.push({
        number,
        name,
        step: step.id,
        from: step.from,
        length,
        fds: step.fds.length,
        ...shortage,
        ...filtered(expected, byName, { step, seed, number, length, name }),
        place: step.place,
      });
    }
  }
  return { messages, messagesOf };
}

/** What each message of a plan is like. */
export const datagramsOf =
  ({ messagesOf, seed }: Pick<Plan, 'messagesOf' | 'seed'>): Datagrams =>
  (step, n) => {
    const number = (messagesOf.get(step.id)?.first ?? 0) + n;
    const length = lengthOf(step, seed, number);
    return { length, bytes: () => datagramOf({ step, seed, number, length }) };
  };

function rangesOf(steps: readonly Step[]): Map<string, { first: number; count: number }> {
  const ranges = new Map<string, { first: number; count: number }>();
  let first = 0;
  for (const { id, count } of sends(steps)) {
    ranges.set(id, { first, count });
    first += count;
  }
  return ranges;
}

/** All sends, those of branches included, branch by branch. */
function* sends(steps: readonly Step[]): Generator<SendStep> {
  for (const step of steps) {
    if (step.kind === 'send') yield step;
    else if (step.kind === 'parallel') for (const branch of step.branches) yield* sends(branch);
  }
}

function nameOf({ as, count, from }: SendStep, n: number, perSender: Map<string, number>): string {
  const sender = from.kind === 'client' ? from.name : masterOf(from.bus);
  const nth = (perSender.get(sender) ?? 0) + 1;
  perSender.set(sender, nth);
  if (as === undefined) return `${sender}#${nth}`;
  return count === 1 ? as : `${as}#${n}`;
}

function lengthOf({ payload, dbus, size }: SendStep, seed: number, number: number): number {
  if (dbus !== undefined) return sealedLength(dbus);
  if (payload !== undefined) return ENVELOPE_SIZE + payload.length;
  return size === undefined ? ENVELOPE_SIZE : drawLength(seed, number, size.min, size.max);
}
