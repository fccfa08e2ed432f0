// SPDX-License-Identifier: MIT
/** Sends that come back to their sender and reach nobody else, although the file does not say so. */
import type { Prediction } from '../../../predict/index.ts';
import { senderLane } from '../../../topology/lane.ts';
import { sends } from '../../../topology/steps.ts';
import type { SendStep, Topology } from '../../../topology/topology.ts';
import type { Places } from '../places.ts';

export function checkSelves({ problems, paths }: Places, prediction: Prediction, topology: Topology): void {
  for (const step of sends(topology.steps)) {
    if (Object.keys(step.expect).length > 0 || !reachesSelfOnly(prediction, step)) continue;
    const { kind } = step.from;
    const name = step.from.kind === 'master' ? `${step.from.bus}.master` : step.from.name;
    problems.warning(paths.get(step.id) ?? [], {
      code: 'vacuous',
      message: `this send reaches ${kind === 'master' ? 'the master' : `"${name}"`} alone, which sends it`,
      hint: `Let it reach another client; if that is meant, write expect: { recipients: [${name}] }.`,
    });
  }
}

function reachesSelfOnly(prediction: Prediction, { id, from, count }: SendStep): boolean {
  const own = senderLane(from);
  for (let n = 0; n < count; n++) {
    const { must = [], may = [] } = prediction.of(id, n)?.delivered ?? {};
    if (must.length + may.length !== 1 || (must[0] ?? may[0]) !== own) return false;
  }
  return true;
}
