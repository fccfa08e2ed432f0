// SPDX-License-Identifier: MIT
/** Turns send steps into numbered messages, with the lanes that must get them. */
import { type Contradictions, type Datagrams, predict } from '../predict/index.ts';
import { partyOf } from '../topology/lane.ts';
import { bytesOf, lengthOf } from '../topology/message.ts';
import { sends } from '../topology/steps.ts';
import type { ClientSpec, SendStep, Step, Topology } from '../topology/topology.ts';
import { shortages } from './descriptors.ts';
import { modelled, writtenExpected } from './expected.ts';
import { filtered } from './filters.ts';
import type { Plan, PlannedMessage } from './plan.ts';

/**
 * Stands for the run's nonce, which is drawn when the run starts. The answer of a filter that reads it cannot be known.
 */
const NO_NONCE = 0;

type Numbered = Pick<Plan, 'messages' | 'messagesOf' | 'prediction'>;

/** Numbers the messages of all sends in file order; those of one send are consecutive. */
export function numberMessages(topology: Topology, seed: number, contradictions: Contradictions): Numbered {
  const { steps, clients } = topology;
  const byName = new Map(clients.map((client): [string, ClientSpec] => [client.name, client]));
  const messagesOf = rangesOf(steps);
  const datagrams = datagramsOf({ messagesOf, seed });
  const prediction = predict(topology, datagrams);
  const shortageOf = shortages(topology);
  const messages: PlannedMessage[] = [];
  const perSender = new Map<string, number>();
  for (const step of sends(steps)) {
    const written = writtenExpected(step, contradictions.get(step.id));
    const shortage = shortageOf(step);
    for (let n = 0; n < step.count; n++) {
      const number = messages.length;
      const name = nameOf(step, n + 1, perSender);
      const datagram = datagrams(step, n);
      const expected = written ?? modelled(prediction.of(step.id, n));
      messages.push({
        number,
        name,
        step: step.id,
        from: step.from,
        length: datagram.length,
        fds: step.fds.length,
        ...shortage,
        ...filtered(expected, byName, { name, place: step.place, datagram }),
        place: step.place,
      });
    }
  }
  return { messages, messagesOf, prediction };
}

/** The bytes and lengths of each message of a plan. */
export const datagramsOf =
  ({ messagesOf, seed }: Pick<Plan, 'messagesOf' | 'seed'>): Datagrams =>
  (step, n) => {
    const number = (messagesOf.get(step.id)?.first ?? 0) + n;
    return {
      length: lengthOf(step, { seed, number }),
      bytes: () => bytesOf(step, { seed, number, nonce: NO_NONCE }),
    };
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

function nameOf({ as, count, from }: SendStep, n: number, perSender: Map<string, number>): string {
  const sender = partyOf(from);
  const nth = (perSender.get(sender) ?? 0) + 1;
  perSender.set(sender, nth);
  if (as === undefined) return `${sender}#${nth}`;
  return count === 1 ? as : `${as}#${n}`;
}
