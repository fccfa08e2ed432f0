// SPDX-License-Identifier: MIT
/**
 * As many descriptors arrive as were sent. A client with a limit gets as many as it may open, and the flag that some
 * are missing.
 */

import { count } from '../common/text.ts';
import type { PlannedMessage } from '../plan/plan.ts';
import type { DeliveryEvent } from '../trace/trace.ts';
import type { LaneFacts } from './facts.ts';
import type { Problem } from './integrity.ts';

/** The first problem that applies: a wrong number explains a wrong flag. */
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
