// SPDX-License-Identifier: MIT
/** As many descriptors as were sent; to whom a step has limited as many as it may open, and it is told that some are missing. */

import type { PlannedMessage } from '../plan/plan.ts';
import type { DeliveryEvent } from '../trace/trace.ts';
import type { LaneFacts } from './facts.ts';
import type { Problem } from './integrity.ts';
import { count } from './words.ts';

/** The first that holds: a wrong number explains the flag. */
export function descriptorProblem(
  { name }: LaneFacts,
  { fds, controlTruncated }: DeliveryEvent,
  message: PlannedMessage,
): Problem | undefined {
  const sent = count(message.fds, 'descriptor');
  const limited = message.fdsAt?.get(name);
  if (!(limited ?? [message.fds]).includes(fds)) {
    return {
      kind: 'fds',
      what: 'with other descriptors',
      expected: limited ? `${limited.join(' or ')} of ${sent}, by its limit` : sent,
      observed: controlTruncated ? `${fds}, MSG_CTRUNC` : String(fds),
    };
  }
  const cut = fds < message.fds;
  if (cut === controlTruncated) return undefined;
  return cut
    ? {
        kind: 'silently-cut',
        what: 'with fewer descriptors and was not told',
        expected: `${fds} of ${sent}, MSG_CTRUNC`,
        observed: 'no MSG_CTRUNC',
      }
    : {
        kind: 'control-truncated',
        what: 'with control data cut off',
        expected: 'no MSG_CTRUNC',
        observed: 'MSG_CTRUNC',
      };
}
