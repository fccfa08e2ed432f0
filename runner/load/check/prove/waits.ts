// SPDX-License-Identifier: MIT
/**
 * `blocked: false` for a client that never has to wait, a hang-up that has come already, and waits that may last longer
 * than the run.
 */
import { idleWaits, type Prediction } from '../../../predict/index.ts';
import { endsInTime } from '../../../topology/budgets.ts';
import { areConcurrent, type Visit, walk } from '../../../topology/steps.ts';
import type { Step, Topology } from '../../../topology/topology.ts';
import type { Places } from '../places.ts';

export function checkWaits(places: Places, prediction: Prediction, topology: Topology): void {
  const { problems, paths } = places;
  for (const [id, { client }] of idleWaits(prediction, topology)) {
    problems.warning([...(paths.get(id) ?? []), 'expect', 'blocked'], {
      code: 'vacuous',
      message: `"${client}" never has to wait here, so this cannot fail`,
      hint: 'Remove it, or let a recipient stop reading: receive: manual, or a stop-reading step before.',
    });
  }
  checkHangups(places, topology);
  for (const { step } of walk(topology.steps)) {
    const wait = waitOf(step);
    if (wait === undefined || endsInTime(wait)) continue;
    problems.warning([...(paths.get(step.id) ?? []), 'expect', 'within'], {
      code: 'vacuous',
      message: `this ${wait.fails}: a run is cut off after two minutes, before this wait ends`,
      hint: `Write less than 2m, or leave it out: ${wait.default} is the default.`,
    });
  }
}

/** Reports a hang-up of a socket that has hung up before: it stays at its end. */
function checkHangups({ problems, paths }: Places, { steps }: Topology): void {
  const seen = new Map<string, Visit>();
  for (const visit of walk(steps)) {
    const { step } = visit;
    if (step.kind !== 'hangup') continue;
    const first = seen.get(step.client);
    if (first === undefined) seen.set(step.client, visit);
    else if (!areConcurrent(first, visit))
      problems.warning([...(paths.get(step.id) ?? []), 'expect', 'hangup'], {
        code: 'vacuous',
        message: `"${step.client}" hangs up at line ${first.step.place.line} already, so this cannot fail`,
        hint: 'Remove one of the two steps.',
      });
  }
}

function waitOf(step: Step): { within: number; fails: string; default: string } | undefined {
  if (step.kind === 'blocked' || step.kind === 'hangup')
    return { within: step.within, fails: 'cannot fail', default: '5 s' };
  if (step.kind !== 'program' || step.expect === undefined) return undefined;
  // What the program does is checked, but never that it took too long.
  return { within: step.expect.within, fails: 'limit cannot be exceeded', default: '60 s' };
}
