// SPDX-License-Identifier: MIT
/** What a file expects of a send, with groups and replicas replaced by their clients; empty if the model decides. */

import type { Destination, SendExpect, Sender } from '../../topology/topology.ts';
import { receivers } from './parties.ts';
import { reasons } from './reasons.ts';
import type { WrittenSendExpect } from './scope.ts';
import type { StepContext } from './step-context.ts';
import { warnOfTwins } from './twins.ts';

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
  const { scope, parties, deliveries, path } = where;
  const at = [...path, 'expect'];
  if (expect === 'model') {
    deliveries.take(scope, parties, facts);
    return { model: true };
  }
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
  deliveries.take(scope, parties, facts);
  if (expect?.recipients === undefined) return {};
  warnOfTwins(scope, expect.recipients, [...at, 'recipients']);
  const recipients = new Set(
    expect.recipients.flatMap((name, n) =>
      receivers(scope, parties, name, facts, {
        path: [...at, 'recipients', n],
        hint:
          expect.recipients?.length === 1
            ? 'To say that the send reaches nobody, write recipients: [].'
            : 'Remove it from the list.',
      }),
    ),
  );
  scope.reasons.set(where.id, reasons(where, facts, recipients));
  deliveries.compare(facts.as, recipients);
  return { recipients: [...recipients] };
}
