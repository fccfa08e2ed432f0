// SPDX-License-Identifier: MIT
/** Which budgets a run can exceed, and which waits can end in a run: others check nothing. */
import { DEFAULT_RUN_TIME } from '../common/deadline.ts';
import { sends } from './steps.ts';
import type { Budget, SendStep, Topology } from './topology.ts';

/** A run that takes longer than its time is cut, and has no verdict. */
export function canFail({ figure, limit, step }: Budget, { steps }: Topology): boolean {
  if (figure !== 'throughput') return limit < DEFAULT_RUN_TIME;
  const sure = [...sends(steps)].filter((send) => (step === undefined || send.id === step) && isSent(send));
  const count = sure.reduce((sum, send) => sum + send.count, 0);
  return limit > count / (DEFAULT_RUN_TIME / 1000);
}

/** A wait that is longer than a run is never seen to fail. */
export const endsInTime = ({ within }: { readonly within: number }): boolean => within < DEFAULT_RUN_TIME;

/** Whether the file demands that the send succeeds. */
const isSent = ({ expect }: SendStep): boolean => expect.error === undefined && expect.model === undefined;
