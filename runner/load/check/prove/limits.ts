// SPDX-License-Identifier: MIT
/** Limits of descriptors that nothing ever reaches. */
import { limitedShares, type Prediction } from '../../../predict/index.ts';
import { faults, sends } from '../../../topology/steps.ts';
import type { SendStep, Topology } from '../../../topology/topology.ts';
import { type Places, pathOf } from '../places.ts';
import { comingTo } from './coming.ts';

export function checkLimitsHit(places: Places, prediction: Prediction, topology: Topology): void {
  const shares = limitedShares(topology);
  const coming = comingTo(prediction, topology);
  const passing = [...sends(topology.steps)].filter(({ fds }) => fds.length > 0);
  for (const fault of faults(topology.steps)) {
    const { action } = fault;
    if (action.fault !== 'limit' || action.fds === 'unlimited') continue;
    const { client, fds } = action;
    const counts = ({ id, fds: carried }: SendStep) => shares.get(client)?.(id, carried.length) ?? [];
    const hits = (send: SendStep) =>
      send.fds.length > fds && (coming.get(client)?.has(send) ?? false) && counts(send).includes(fds);
    if (passing.some(hits)) continue;
    const message = `this limit has no effect: no message with more than ${fds} descriptors reaches "${client}" while the limit holds`;
    const hint = `Pass more with a send to it: fds: [{ pipe: p1 }, …]; or remove the limit.`;
    places.problems.warning(pathOf(places, fault), { code: 'vacuous', message, hint });
  }
}
