// SPDX-License-Identifier: MIT
/**
 * Plays branches on a world in one of the ways that they can go: readers as quick or as slow as can be, the first
 * branch or the last one going ahead wherever it can. Whoever waits is tried again when anybody got on.
 */
import type { Effort } from './effort.ts';
import {
  type Branch,
  countedIn,
  type Datagrams,
  Player,
  type Scene,
  type Stuck,
  stuckIn,
  type WaysOf,
} from './player.ts';
import type { World } from './world.ts';

export interface Schedule {
  /** Whoever reads takes each copy at once, or only when nobody gets on without; `selfish`: at once if it sent it itself. */
  readonly readers: 'quick' | 'slow' | 'selfish';
  /** Which branch goes on wherever it can; `none`: they take turns; a number: this one, from 0, only where no other can. */
  readonly ahead: 'first' | 'last' | 'none' | number;
}

export const QUICK: Schedule = { readers: 'quick', ahead: 'first' };

const EAGER: Readonly<Record<Schedule['readers'], Scene['eager']>> = {
  quick: () => true,
  slow: () => false,
  selfish: (reader, from) => reader === from,
};

/**
 * Adds to `ways` what came of each message; tells where it got stuck, if it did. All who read have read at the end.
 * Throws Exhausted.
 */
export function play(
  world: World,
  branches: readonly Branch[],
  schedule: Schedule,
  datagrams: Datagrams,
  ways: WaysOf,
  effort: Effort,
): Stuck | undefined {
  const eager = EAGER[schedule.readers];
  const scene: Scene = {
    world,
    eager,
    datagrams,
    ways,
    effort,
    waiting: new Set(),
    returned: new Map(),
    counted: countedIn(branches),
  };
  const players = branches.map((steps) => new Player(scene, steps));
  if (schedule.ahead === 'last') players.reverse();
  else if (typeof schedule.ahead === 'number') players.push(...players.splice(schedule.ahead, 1));
  const getOn = () =>
    schedule.ahead === 'none'
      ? players.filter((player) => player.advance()).length > 0
      : players.some((player) => player.advance());
  // Those who hold nobody up may stay as slow as they are.
  const makeRoom = () => world.drain(players.flatMap((player) => player.waits)) || world.drain();
  while (getOn() || makeRoom() || players.some((player) => player.giveUp()));
  return stuckIn(players);
}
