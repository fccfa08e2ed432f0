// SPDX-License-Identifier: MIT
/** What a file says must happen to a send, with names of many spelled out; nothing where it leaves that to the model. */

import type { Destination, SendExpect, Sender } from '../../topology/topology.ts';
import { receivers } from './parties.ts';
import { reasons } from './reasons.ts';
import type { WrittenSendExpect } from './scope.ts';
import type { StepContext } from './step-context.ts';

export interface Facts {
  readonly from: Sender;
  readonly to: Destination;
  readonly bus: string;
  readonly as: string | undefined;
  readonly fds: number;
  readonly count: number;
  readonly nonblocking: boolean;
}

export function expectation(
  where: StepContext,
  facts: Facts,
  expect: WrittenSendExpect | undefined,
): SendExpect {
  const { scope, world, deliveries, path } = where;
  const at = [...path, 'expect'];
  if (expect?.error !== undefined && expect.recipients !== undefined) {
    const message = 'a send fails or has recipients, not both';
    scope.problems.error(at, {
      code: 'impossible',
      message,
      hint: 'An error means that nobody got it: remove `recipients`.',
    });
  }
  if (expect?.error !== undefined) {
    deliveries.refuse(facts.as, `the send expects ${expect.error}`);
    return { error: expect.error };
  }
  deliveries.take(scope, world, facts);
  if (expect?.recipients === undefined) return {};
  const recipients = new Set(
    expect.recipients.flatMap((name, n) =>
      receivers(scope, world, name, facts.bus, [...at, 'recipients', n]),
    ),
  );
  scope.doubts.set(where.id, reasons(where, facts, recipients));
  deliveries.compare(facts.as, recipients);
  return { recipients: [...recipients] };
}
