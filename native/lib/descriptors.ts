// SPDX-License-Identifier: MIT
/** How many descriptors this process may open. Not for users: the agents limit themselves where a topology says so. */

import { check } from './errors.ts';
import { loadedAddon } from './load.ts';

/** From now on the process may open that many more descriptors; `unlimited`: as many as its hard limit allows. */
export function limitDescriptors(more: number | 'unlimited'): void {
  const result = loadedAddon().limitDescriptors(more === 'unlimited' ? -1 : more);
  check(result, 'setrlimit RLIMIT_NOFILE');
}
