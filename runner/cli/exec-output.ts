// SPDX-License-Identifier: MIT
/** The output of a command in a process node, as it comes, and the exit status after it. */

import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { EnvironmentError } from '../common/errors.ts';

/** What the shell writes after all that the command wrote, before its status. */
export const MARK = '\n\u0001';
/** The mark and a status of three digits. */
const MOST = MARK.length + 3;

/** Copies all but the mark and the status, and returns the status. */
export async function copyOutput(from: Readable, to: Writable): Promise<number> {
  let held = Buffer.alloc(0);
  for await (const chunk of from) {
    const all = Buffer.concat([held, Buffer.from(chunk)]);
    const sure = Math.max(0, all.length - MOST);
    if (!to.write(all.subarray(0, sure))) await once(to, 'drain');
    held = all.subarray(sure);
  }
  const end = held.lastIndexOf(MARK);
  to.write(held.subarray(0, end < 0 ? held.length : end));
  if (end >= 0) return Number(held.subarray(end + MARK.length).toString());
  throw new EnvironmentError(
    'the output was cut off before the command ended',
    'see "afbus-topo ps" and "afbus-topo doctor": its node or the host may have ended',
  );
}
