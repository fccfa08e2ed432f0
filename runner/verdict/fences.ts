// SPDX-License-Identifier: MIT
/** Fences are messages, too: each must be of this run and this bus, and reach its lanes once. */

import type { Lane } from '../topology/lane.ts';
import type { DeliveryEvent } from '../trace/trace.ts';
import type { Facts, LaneFacts } from './facts.ts';
import type { Findings } from './findings.ts';

/** Bus and number → lanes; undefined if a cut run may have lost the record of some fences. */
export type SentFences = ReadonlyMap<string, ReadonlySet<Lane>> | undefined;

/** The fences of a run. */
export const sentFences = ({ trace }: Facts): SentFences =>
  trace.cut === undefined
    ? new Map(trace.fences.map((f) => [key(f.bus, f.number), new Set(f.lanes)]))
    : undefined;

const key = (bus: string, number: number): string => `${bus} ${number}`;

/** Checks a fence that arrived; `seen` are the fences that the lane got before. */
export function judgeFence(
  findings: Findings,
  lane: LaneFacts,
  d: DeliveryEvent,
  sent: SentFences,
  seen: Set<number>,
): void {
  const number = d.message ?? -1;
  const problem = problemOf(lane, number, sent, seen);
  seen.add(number);
  if (!problem) return;
  findings.add(problem.kind, undefined, () => ({
    summary: `${lane.name} got fence ${number}${problem.what}`,
    expected: problem.expected,
    observed: `fence ${number} at position ${d.position} of ${lane.name}`,
  }));
}

function problemOf(lane: LaneFacts, number: number, sent: SentFences, seen: ReadonlySet<number>) {
  const lanes = sent?.get(key(lane.bus, number));
  if (sent && !lanes) {
    return {
      kind: 'invented',
      what: ', which was not sent on its bus',
      expected: 'only fences of this run and this bus',
    };
  }
  if (lanes && !lanes.has(lane.name)) {
    return { kind: 'extra', what: ', which was not for it', expected: 'fences for joined clients only' };
  }
  return seen.has(number) ? { kind: 'duplicated', what: ' again', expected: 'one copy' } : undefined;
}
