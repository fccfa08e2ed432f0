// SPDX-License-Identifier: MIT
/** `blocked: false` of a client that never has to wait. */
import { idleWaits, type Prediction } from '../../../predict/index.ts';
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
}
