// SPDX-License-Identifier: MIT
/** `nonblocking: true` for a send that never finds a recipient full. */
import type { Prediction } from '../../../predict/index.ts';
import { sends } from '../../../topology/steps.ts';
import type { SendStep, Topology } from '../../../topology/topology.ts';
import type { Places } from '../places.ts';

const FULL = 'EAGAIN';

export function checkNonblocking(
  { problems, paths }: Places,
  prediction: Prediction,
  topology: Topology,
): void {
  for (const step of sends(topology.steps)) {
    if (!step.nonblocking || isOpen(step) || mayFail(prediction, step)) continue;
    problems.warning([...(paths.get(step.id) ?? []), 'send', 'nonblocking'], {
      code: 'vacuous',
      message: 'no recipient is ever full here, so `nonblocking: true` changes nothing',
      hint: 'Send more than a queue takes to a client that does not read (receive: manual), or remove it.',
    });
  }
}

/** Whether the file allows for a full recipient by itself: with EAGAIN, with any outcome, or because it is a `fill`. */
const isOpen = ({ expect }: SendStep): boolean => expect.error === FULL || expect.model === true;

function mayFail(prediction: Prediction, { id, count }: SendStep): boolean {
  for (let n = 0; n < count; n++) if (prediction.of(id, n)?.errors.includes(FULL)) return true;
  return false;
}
