// SPDX-License-Identifier: MIT
/** Which recipients cannot take all descriptors of a message, because a step has limited them. */

import { limitedShares } from '../predict/index.ts';
import type { SendStep, Topology } from '../topology/topology.ts';
import type { PlannedMessage } from './plan.ts';

/** The shortages of a send; empty if every recipient takes all. */
export function shortages(topology: Topology): (step: SendStep) => Pick<PlannedMessage, 'fdsAt'> {
  const limited = [...limitedShares(topology)];
  return ({ id, fds }) => {
    const shares = limited.map(([client, share]) => [client, share(id, fds.length)] as const);
    const short = shares.filter(([, counts]) => counts.some((each) => each < fds.length));
    return short.length > 0 ? { fdsAt: new Map(short) } : {};
  };
}
