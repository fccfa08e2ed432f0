// SPDX-License-Identifier: MIT
/** Damage to the one sequence, in a lane or for everybody. */

import { got, logOf, swapIn, swapOnBus, unnumber } from '../helpers/base-run.ts';
import { small } from '../helpers/small-run.ts';
import type { OpenDelivery, Run } from '../helpers/story.ts';
import { type Mutant, mutant } from '../mutants.ts';

const total = (
  name: string,
  kind: string,
  detail: RegExp,
  damage: (run: Run) => void,
  fresh?: () => Run,
): Mutant => mutant(name, { 'order.total': { kind, detail } }, damage, fresh);

const nothing = () => {};

export const totalMutants: readonly Mutant[] = [
  total(
    'two neighbours change places in one lane',
    'contradiction',
    /a#2 before c#1 at lane r1 \(positions 1, 2\)/,
    (run) => {
      unnumber(run);
      swapIn(run, 'r2', 'a#2', 'c#1');
    },
  ),
  total(
    'two neighbours change places in one lane, numbers shown',
    'sequence-differs',
    /it reached 4 lanes/,
    (run) => swapIn(run, 'r2', 'a#2', 'c#1'),
  ),
  total('a fence overtakes a message in one lane', 'contradiction', /fence 1/, (run) => {
    unnumber(run);
    const log = logOf(run, 'r2');
    const [message, fence] = [log.at(-2) as OpenDelivery, log.at(-1) as OpenDelivery];
    log.splice(
      -2,
      2,
      { ...fence, position: message.position, t: message.t },
      { ...message, position: fence.position, t: fence.t },
    );
  }),
  total(
    'three lanes contradict each other, no two do',
    'contradiction',
    /z before x at lane r3 \(positions 0, 1\)/,
    nothing,
    () =>
      small(
        { x: ['a', 1, 9], y: ['b', 1, 9], z: ['c', 1, 9] },
        {
          r1: [
            ['x', 10],
            ['y', 11],
          ],
          r2: [
            ['y', 10],
            ['z', 11],
          ],
          r3: [
            ['z', 10],
            ['x', 11],
          ],
        },
      ),
  ),
  total('a number goes back in a lane', 'sequence-inverted', /has number 30/, (run) => {
    for (const lane of ['r1', 'r2', 'r3', 'ear'])
      [got(run, lane, 'c#1').sequence, got(run, lane, 'a#3').sequence] = [40, 30];
  }),
  total('a message has two numbers', 'sequence-differs', /its place on the bus is one/, (run) => {
    got(run, 'r2', 'c#3').sequence = 71;
  }),
  mutant(
    'two messages have one number',
    { 'order.total': { kind: 'sequence-shared', message: 'y' } },
    (run) => {
      for (const lane of ['r1', 'r2']) (logOf(run, lane)[0] as OpenDelivery).sequence = 7;
    },
    () => small({ x: ['a', 1, 2], y: ['b', 3, 4] }, { r1: [['x', 5]], r2: [['y', 6]] }),
  ),
  total(
    'numbers contradict time where no lane does',
    'realtime',
    /x before y: its send returned/,
    (run) => {
      (logOf(run, 'r1')[0] as OpenDelivery).sequence = 8;
      (logOf(run, 'r2')[0] as OpenDelivery).sequence = 7;
    },
    () => small({ x: ['a', 1, 2], y: ['b', 3, 4] }, { r1: [['x', 5]], r2: [['y', 6]] }),
  ),
  total(
    'a later send comes first for everybody',
    'realtime',
    /c#3 before a#5: .*before the send of a#5 began/,
    (run) => swapOnBus(run, 'c#3', 'a#5'),
  ),
  total(
    'somebody has it, then another send begins and overtakes it',
    'realtime',
    /x before y: r1 had it at 0\.000 ms, before the send of y began/,
    nothing,
    () =>
      small(
        { x: ['a', 1, 90], y: ['b', 30, 40] },
        {
          r1: [['x', 20]],
          r2: [
            ['y', 95],
            ['x', 96],
          ],
        },
      ),
  ),
];
