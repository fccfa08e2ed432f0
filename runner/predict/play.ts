// SPDX-License-Identifier: MIT
/**
 * Plays branches on a world in one of the ways that they can go: readers as quick or as slow as can be, the first
 * branch or the last one going ahead wherever it can. A branch that waits is tried again when another got on.
 */

import type { BusState } from './bus-state.ts';
import {
  type Branch,
  BranchCursor,
  countedIn,
  type Datagrams,
  type PlayContext,
  type PossibilitiesOf,
  type Stuck,
  stuckIn,
} from './cursor.ts';
import type { Effort } from './effort.ts';

export interface Schedule {
  /** A reader takes each copy at once, or only when no branch gets on without; `ownFirst`: at once if it sent it itself. */
  readonly readers: 'quick' | 'slow' | 'ownFirst';
  /** Which branch goes on wherever it can; `none`: they take turns; a number: this one, from 0, only where no other can. */
  readonly ahead: 'first' | 'last' | 'none' | number;
}

export const QUICK: Schedule = { readers: 'quick', ahead: 'first' };

const EAGER: Readonly<Record<Schedule['readers'], PlayContext['eager']>> = {
  quick: () => true,
  slow: () => false,
  ownFirst: (reader, from) => reader === from,
};

/**
 * Adds to `ways` what came of each message; tells where it got stuck, if it did. All who read have read at the end.
 * Throws Exhausted.
 */
export function play(
  world: BusState,
  branches: readonly Branch[],
  schedule: Schedule,
  datagrams: Datagrams,
  ways: PossibilitiesOf,
  effort: Effort,
): Stuck | undefined {
  const eager = EAGER[schedule.readers];
  const context: PlayContext = {
    world,
    eager,
    datagrams,
    ways,
    effort,
    waiting: new Map(),
    returned: new Map(),
    counted: countedIn(branches),
  };
  const cursors = branches.map((steps) => new BranchCursor(context, steps));
  if (schedule.ahead === 'last') cursors.reverse();
  else if (typeof schedule.ahead === 'number') cursors.push(...cursors.splice(schedule.ahead, 1));
  const getOn = () =>
    schedule.ahead === 'none'
      ? cursors.filter((cursor) => cursor.advance()).length > 0
      : cursors.some((cursor) => cursor.advance());
  // Those who hold nobody up may stay as slow as they are.
  const makeRoom = () => world.drain(cursors.flatMap((cursor) => cursor.waits)) || world.drain();
  while (getOn() || makeRoom() || cursors.some((cursor) => cursor.giveUp()));
  return stuckIn(cursors);
}
