// SPDX-License-Identifier: MIT
/** Allows one build at a time among all processes that share a cache. */

import { type Lock, lock } from './lock.ts';
import { cache } from './paths.ts';
import type { Progress } from './types.ts';

export const BUILD_LOCK = () => cache('lock');

export function buildLock(options: {
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}): Promise<Lock> {
  const onWait = () =>
    options.progress?.({ title: 'waiting for another afbus-topo that builds the host image' });
  return lock(BUILD_LOCK(), onWait, options.signal);
}
