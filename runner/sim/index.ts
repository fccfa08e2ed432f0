// SPDX-License-Identifier: MIT
/**
 * The `sim` backend: plays a topology in this process, with the same agents as elsewhere, on a simulated kernel that
 * follows the reference model. It needs no root, container or Linux; the same seed gives the same trace.
 */
import type { Site } from '../provision/site.ts';
import type { Where } from '../provision/where.ts';
import { hooksOf, type ToldBug } from './bugs.ts';
import { Kernel } from './kernel.ts';
import { simLab } from './lab.ts';
import { Scheduler } from './scheduler.ts';

export { BUGS, type BugName, parseBug, type ToldBug } from './bugs.ts';

export interface SimOptions {
  readonly seed: number;
  /** A bug for the kernel to have, to show that a check finds it. */
  readonly bug?: ToldBug | undefined;
}

export function simSite({ seed, bug }: SimOptions): Site {
  const scheduler = new Scheduler(seed);
  const runner = scheduler.process('runner');
  const where: Where = {
    backend: 'sim',
    launcher: 'process',
    kernel: 'none',
    seed,
    ...(bug && { bug: bug.every === 1 ? bug.name : `${bug.name}=${bug.every}` }),
  };
  return {
    where,
    clock: runner.clock,
    broken: new Promise(() => {}),
    others: async () => [],
    start: (plan, { run }, onNode) =>
      simLab(plan, {
        run,
        where,
        runner,
        onNode,
        context: { scheduler, kernel: new Kernel(bug && hooksOf(bug)), connected: new Map() },
      }),
    remove: async () => {},
    probe: async () => null,
    release: () => scheduler.stop(),
  };
}
