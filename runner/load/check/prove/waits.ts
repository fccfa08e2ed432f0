// SPDX-License-Identifier: MIT
/** `blocked: false` for a client that never has to wait, and waits that last longer than the run. */
import { idleWaits, type Prediction } from '../../../predict/index.ts';
import { endsInTime } from '../../../topology/budgets.ts';
import { walk } from '../../../topology/steps.ts';
import type { Topology } from '../../../topology/topology.ts';
import type { Places } from '../places.ts';

export function checkWaits({ problems, paths }: Places, prediction: Prediction, topology: Topology): void {
  for (const [id, { client }] of idleWaits(prediction, topology)) {
    problems.warning([...(paths.get(id) ?? []), 'expect', 'blocked'], {
      code: 'vacuous',
      message: `"${client}" never has to wait here, so this cannot fail`,
      hint: 'Remove it, or let a recipient stop reading: receive: manual, or a stop-reading step before.',
    });
  }
  for (const { step } of walk(topology.steps)) {
    if ((step.kind !== 'blocked' && step.kind !== 'hangup') || endsInTime(step)) continue;
    problems.warning([...(paths.get(step.id) ?? []), 'expect', 'within'], {
      code: 'vacuous',
      message: 'this cannot fail: a run is cut off after two minutes, before this wait ends',
      hint: 'Write less than 2m, or leave it out: 5 s is the default.',
    });
  }
}
