// SPDX-License-Identifier: MIT
/** `nonblocking: true` for a send on a bus whose clients all read, so that none of them is ever full. */
import type { Prediction } from '../../../predict/index.ts';
import { readingEffect, subjectOf } from '../../../topology/faults.ts';
import { walk } from '../../../topology/steps.ts';
import type { SendStep, Topology } from '../../../topology/topology.ts';
import type { Places } from '../places.ts';
import { busOfSender } from './parties.ts';

const FULL = 'EAGAIN';

export function checkNonblocking(
  { problems, paths }: Places,
  prediction: Prediction,
  topology: Topology,
): void {
  const busOf = busOfSender(topology);
  const since = unreadSince(topology);
  for (const { step, top } of walk(topology.steps)) {
    if (step.kind !== 'send' || !step.nonblocking || isOpen(step) || mayFail(prediction, step)) continue;
    if ((since.get(busOf(step.from)) ?? Infinity) <= top) continue;
    problems.warning([...(paths.get(step.id) ?? []), 'send', 'nonblocking'], {
      code: 'vacuous',
      message: 'no recipient is ever full here, so `nonblocking: true` changes nothing',
      hint: 'Send more than a queue takes to a client that does not read (receive: manual), or remove it.',
    });
  }
}

/**
 * The top-level step from which on a bus may have a party that does not read. A send that succeeds there although one
 * is full, or nearly full, shows something: it may be an eavesdropper, or have room for this message.
 */
function unreadSince(topology: Topology): ReadonlyMap<string, number> {
  const busOf = busOfSender(topology);
  const since = new Map<string, number>();
  for (const { bus, receive } of topology.clients) if (receive === 'manual') since.set(bus, 0);
  for (const { step, top } of walk(topology.steps)) {
    const effect = step.kind === 'fault' ? readingEffect(step.action) : undefined;
    if (step.kind !== 'fault' || (effect !== 'stops' && effect !== 'pauses')) continue;
    const bus = busOf(subjectOf(step.action));
    since.set(bus, Math.min(since.get(bus) ?? Infinity, top));
  }
  return since;
}

/** Whether the file allows for a full recipient by itself: with EAGAIN, with any outcome, or because it is a `fill`. */
const isOpen = ({ expect }: SendStep): boolean => expect.error === FULL || expect.model === true;

function mayFail(prediction: Prediction, { id, count }: SendStep): boolean {
  for (let n = 0; n < count; n++) if (prediction.of(id, n)?.errors.includes(FULL)) return true;
  return false;
}
