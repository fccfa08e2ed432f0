// SPDX-License-Identifier: MIT
/** Runs of a handful of messages, as short as they can be written. */

import { makeRun } from './make-run.ts';
import type { Got, Run, Sent } from './story.ts';

/** A run of named messages: sender, begin and end of each; and each lane's log with its times. */
export function small(
  sends: Readonly<Record<string, readonly [string, number, number]>>,
  logs: Readonly<Record<string, readonly (readonly [string, number])[]>>,
): Run {
  const names = new Set([...Object.values(sends).map(([from]) => from), ...Object.keys(logs)]);
  const lanesOf = (name: string) => Object.keys(logs).filter((lane) => logs[lane]?.some(([n]) => n === name));
  const sent = Object.entries(sends).map(
    ([name, [from, t0, t1]]): Sent => ({ name, from, t0, t1, to: lanesOf(name) }),
  );
  const lanes = Object.fromEntries(
    Object.entries(logs).map(([lane, log]) => [lane, log.map(([name, t]): Got => ({ name, t }))]),
  );
  return makeRun({ clients: [...names].map((name) => ({ name })), sent, lanes });
}
