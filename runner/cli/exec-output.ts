// SPDX-License-Identifier: MIT
/** Copies the output of a command in a process node as it comes; the exit status follows the output. */

import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { EnvironmentError } from '../common/errors.ts';

/** The shell writes this after the command's output, before its status. */
export const MARK = '\n\u0001';
/** Length of the mark and a status of three digits. */
const MOST = MARK.length + 3;

/** Copies everything but the mark and the status; returns the status. */
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
