// SPDX-License-Identifier: MIT
/**
 * Two `up` of one name at the same moment would both find that nothing of that name is up. So one of them waits until
 * the nodes of the other stay up, or are gone.
 */

import { join } from 'node:path';
import type { Deadline } from '../common/deadline.ts';
import { folderName } from '../common/neutral.ts';
import type { Progress } from '../common/progress.ts';
import { type Lock, lock } from '../host/lock.ts';
import { stateRoot } from '../host/paths.ts';

interface Waiting {
  readonly progress: Progress;
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
}

/** The lock for this name, among the processes of this user. */
export async function turnOf(name: string, { progress, deadline, signal }: Waiting): Promise<Lock> {
  const file = join(stateRoot(), 'up', `${folderName(name)}.lock`);
  const waited = Promise.withResolvers<void>();
  const given = new AbortController();
  const mine = lock(file, waited.resolve, AbortSignal.any([signal, given.signal]));
  const first = await Promise.race([mine, waited.promise]);
  const what = `another "afbus-topo up" of ${name} to end`;
  try {
    return first ?? (await progress.stage('turn', () => deadline.race(what, signal, () => mine)));
  } catch (error) {
    given.abort();
    throw error;
  }
}
