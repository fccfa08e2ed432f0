// SPDX-License-Identifier: MIT
/** When clients of message buses do not read: from a `pause` to the `resume`, or until the bus has cut them off. */
import type { DbusStep } from './message-bus.ts';
import type { Step } from './topology.ts';

export interface Sleep {
  readonly client: string;
  /** Indexes of top-level steps: no part of a `parallel` pauses a client. */
  readonly from: number;
  readonly to: number;
  /** Index of the step in which it reads again. */
  readonly resume: number;
  /** The step in which it begins. */
  readonly pause: DbusStep;
  /** The step by which the bus must have cut it off; absent if it must not. */
  readonly hangup?: DbusStep;
}

export function sleepsIn(steps: readonly Step[]): readonly Sleep[] {
  const sleeps = new Map<DbusStep, Sleep>();
  const latest = new Map<string, DbusStep>();
  for (const [top, step] of steps.entries()) {
    if (step.kind !== 'dbus') continue;
    const { client, do: verb } = step.action;
    const pause = verb === 'pause' ? step : latest.get(client);
    if (pause === undefined) continue;
    const { from = top, resume = steps.length } = sleeps.get(pause) ?? {};
    if (verb === 'pause') latest.set(client, step);
    if (verb === 'pause') sleeps.set(step, { client, from, to: resume, resume, pause });
    else if (verb === 'resume') sleeps.set(pause, { client, from, to: top, resume: top, pause });
    else if (verb === 'hangup') sleeps.set(pause, { client, from, to: top, resume, pause, hangup: step });
  }
  return [...sleeps.values()];
}

/** Whether the client may be cut off in this step, or was before it. */
export const mayBeCutOff = (sleeps: readonly Sleep[], client: string, top: number): boolean =>
  sleeps.some((sleep) => sleep.hangup && sleep.client === client && sleep.from < top && top <= sleep.to);
