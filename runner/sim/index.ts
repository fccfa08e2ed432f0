// SPDX-License-Identifier: MIT
/**
 * The `sim` backend: a topology played in this process, by the agents that play it elsewhere, on a simulated kernel
 * that keeps to the reference model. No root, no container, no Linux; the same seed gives the same trace.
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
  /** A fault for the kernel to have, so that a check can be seen to find it. */
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
