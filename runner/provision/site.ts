// SPDX-License-Identifier: MIT
/** Where runs are played: nodes can be started there, and taken away again. */

import { type Clock, wallClock } from '../common/clock.ts';
import type { HostDied } from '../common/errors.ts';
import type { Plan } from '../plan/plan.ts';
import type { Backend } from './backend.ts';
import { type Launcher, provision } from './index.ts';
import type { Lab } from './lab.ts';
import type { Ownership } from './labels.ts';
import { listRuns, type Run, removeOrphans, removeRun } from './runs.ts';
import type { Where } from './where.ts';

export interface Site {
  readonly where: Where;
  readonly clock: Clock;
  /** Rejects when what the site stands on breaks; never resolves. */
  readonly broken: Promise<never>;
  /** Other runs that are up; those whose runners were killed are removed first. */
  others(): Promise<readonly Run[]>;
  /** Rejects with EnvironmentError or HostDied; what was started by then is `remove`d by the run's mark. */
  start(plan: Plan, owner: Ownership, onNode: (name: string) => void): Promise<Lab>;
  /** Takes away all that bears the run's mark; does nothing where nothing does. */
  remove(run: Pick<Run, 'run' | 'launcher'>): Promise<void>;
  /** null where it lives, else how it died. */
  probe(): Promise<HostDied | null>;
  /** Lets go of it; what is up stays up. */
  release(): void;
}

/** A Docker Engine and its machine. */
export const engineSite = (backend: Backend, launcher: Launcher): Site => ({
  where: { ...backend.where, launcher },
  clock: wallClock,
  broken: backend.broken,
  others: async () => removeOrphans(backend, await listRuns(backend)),
  start: (plan, owner, onNode) => provision(plan, { backend, launcher, owner, onNode }),
  remove: (run) => removeRun(backend, run),
  probe: backend.probe,
  release: backend.release,
});
