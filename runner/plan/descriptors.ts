// SPDX-License-Identifier: MIT
/** Who cannot take all descriptors of a message, since a step has limited it. */

import { limitedShares } from '../predict/index.ts';
import type { SendStep, Topology } from '../topology/topology.ts';
import type { PlannedMessage } from './plan.ts';

/** Says it of each send; nothing where everybody takes all. */
export function shortages(topology: Topology): (step: SendStep) => Pick<PlannedMessage, 'fdsAt'> {
  const limited = [...limitedShares(topology)];
  return ({ id, fds }) => {
    const shares = limited.map(([client, share]) => [client, share(id, fds.length)] as const);
    const short = shares.filter(([, counts]) => counts.some((each) => each < fds.length));
    return short.length > 0 ? { fdsAt: new Map(short) } : {};
  };
}
