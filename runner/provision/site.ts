// SPDX-License-Identifier: MIT
/** A place where runs are played: it can start nodes, and remove them. */

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
  /** Rejects if what the site needs breaks; never resolves. */
  readonly broken: Promise<never>;
  /** Other runs that are up. Runs whose runners were killed are removed first. */
  others(): Promise<readonly Run[]>;
  /** Rejects with EnvironmentError or HostDied. What was started by then must be removed with `remove`. */
  start(plan: Plan, owner: Ownership, onNode: (name: string) => void): Promise<Lab>;
  /** Removes everything with the run's mark; does nothing if there is nothing. */
  remove(run: Pick<Run, 'run' | 'launcher'>): Promise<void>;
  /** null if the site lives, else how it died. */
  probe(): Promise<HostDied | null>;
  /** Closes the connections to the site; what is up stays up. */
  release(): void;
}

/** A Docker Engine and its machine as a site. */
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
