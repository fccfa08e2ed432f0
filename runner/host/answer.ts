// SPDX-License-Identifier: MIT
/** What a command in a host says until it ends. Root in the host may have replaced the command by one that never ends. */

import type { Readable } from 'node:stream';
import { LIMITS } from '../common/limits.ts';
import { unansweredError } from './reach.ts';

/** Commands whose answers are waited for take seconds, in an emulated host too. */
const PATIENCE = 120_000;

/** All of it. Fails if there is more than a host of ours would say, or if it takes longer. */
export async function answer(stream: Readable, patience = PATIENCE): Promise<Buffer> {
  const late = () => stream.destroy(new Error(`its answer has no end after ${patience / 1000} s`));
  const timer = setTimeout(late, patience);
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of stream as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > LIMITS.answerBytes.most)
        throw new Error(`its answer has more than ${LIMITS.answerBytes.most} bytes`);
      parts.push(part);
    }
    return Buffer.concat(parts);
  } catch (cause) {
    throw unansweredError(cause);
  } finally {
    clearTimeout(timer);
  }
}
