// SPDX-License-Identifier: MIT
/** What a file expects of a send, with groups and replicas replaced by their clients; empty if the model decides. */

import type { Path } from '../../common/diagnostic.ts';
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
    expect.recipients.flatMap((name, n) => recipientsNamed(where, name, facts.bus, [...at, 'recipients', n])),
  );
  scope.reasons.set(where.id, reasons(where, facts, recipients));
  deliveries.compare(facts.as, recipients);
  return { recipients: [...recipients] };
}

/** The receivers that a name stands for at this step. It is an error if there are none: nothing would be expected. */
function recipientsNamed(
  { scope, parties }: StepContext,
  name: string,
  bus: string,
  path: Path,
): readonly string[] {
  const found = receivers(scope, parties, name, bus, path);
  if (found.length > 0 || scope.problems.isFaulty(path) || scope.problems.isBroken(['clients'])) return found;
  scope.problems.error(path, {
    code: 'vacuous',
    message: `"${name}" stands for nobody at this step: it has no joined member`,
    hint: 'Write recipients: [] if nobody is to get the message.',
  });
  return found;
}
