// SPDX-License-Identifier: MIT
/** What each process wrote to stderr; for a message bus, the daemon's log. */

import { LIMITS } from '../common/limits.ts';
import { neutralLines } from '../common/neutral.ts';
import type { LogEvent } from '../trace/trace.ts';

/** Process → text. If there is very much, the last part is kept, which shows how the process ended. */
export function logsIn(
  logs: readonly LogEvent[] = [],
  most: number = LIMITS.logBytes.most,
): ReadonlyMap<string, string> {
  const newest = new Map<string, string[]>();
  let left = most;
  for (const { agent, text } of logs.toReversed()) {
    if (left <= 0) break;
    const bytes = Buffer.from(neutralLines(text));
    const texts = newest.get(agent) ?? [];
    newest.set(agent, texts);
    texts.push(newestOf(bytes, left));
    left -= bytes.length;
  }
  // A process may write the two halves of a command one after the other.
  return new Map(Array.from(newest, ([agent, texts]) => [agent, neutralLines(texts.toReversed().join(''))]));
}

function newestOf(bytes: Buffer, most: number): string {
  let from = Math.max(0, bytes.length - most);
  while (isContinuation(bytes[from])) from++;
  return bytes.toString('utf8', from);
}

/** Whether a byte continues a character of UTF-8, so that no text may begin with it. */
const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;
