// SPDX-License-Identifier: MIT
/**
 * Plays branches on a state in one schedule: readers as quick or as slow as possible, and the first or the last branch
 * going ahead whenever it can. A branch that waits is tried again after another one has moved.
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
  /**
   * When readers read: at once, only when no branch can go on otherwise, or (`ownFirst`) at once if they are the
   * sender.
   */
  readonly readers: 'quick' | 'slow' | 'ownFirst';
  /**
   * Which branch goes on whenever it can. `none`: they take turns. A number: that branch, from 0, goes on only if no
   * other can.
   */
  readonly ahead: 'first' | 'last' | 'none' | number;
}

export const QUICK: Schedule = { readers: 'quick', ahead: 'first' };

const EAGER: Readonly<Record<Schedule['readers'], PlayContext['eager']>> = {
  quick: () => true,
  slow: () => false,
  ownFirst: (reader, from) => reader === from,
};

/**
 * Adds the outcome of each message to `possibilities`; returns where the branches got stuck, if they did. All readers
 * have read at the end. Throws Exhausted.
 */
export function play(
  state: BusState,
  branches: readonly Branch[],
  schedule: Schedule,
  datagrams: Datagrams,
  possibilities: PossibilitiesOf,
  effort: Effort,
): Stuck | undefined {
  const eager = EAGER[schedule.readers];
  const context: PlayContext = {
    state,
    eager,
    datagrams,
    possibilities,
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
  // Readers that delay no branch may stay as slow as they are.
  const makeRoom = () => state.drain(cursors.flatMap((cursor) => cursor.waits)) || state.drain();
  while (getOn() || makeRoom() || cursors.some((cursor) => cursor.giveUp()));
  return stuckIn(cursors);
}
