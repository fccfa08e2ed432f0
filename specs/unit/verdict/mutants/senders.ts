// SPDX-License-Identifier: MIT
/** Damage to the order of a sender's own messages, and of causes and effects. */

import { got, swapIn, swapOnBus, unnumber } from '../helpers/base-run.ts';
import { small } from '../helpers/small-run.ts';
import { type Mutant, mutant } from '../mutants.ts';

const nothing = () => {};

export const sendersMutants: readonly Mutant[] = [
  mutant(
    "a sender's messages change places for everybody",
    { 'order.fifo': { kind: 'inverted', message: 'a#2', step: '2.b1.1', summary: /a sent a#2 first/ } },
    (run) => swapOnBus(run, 'a#2', 'a#3'),
  ),
  mutant(
    "a sender's messages change places in one lane",
    {
      'order.fifo': { kind: 'inverted', message: 'a#2', summary: /^r2 got a#3 before a#2/ },
      'order.total': { kind: 'contradiction' },
    },
    (run) => {
      unnumber(run);
      swapIn(run, 'r2', 'a#2', 'a#3');
    },
  ),
  mutant(
    'program order is broken through a third message',
    { 'order.fifo': { kind: 'contradiction', detail: /a1 before a2: a sent them in this order/ } },
    nothing,
    () =>
      small(
        { a1: ['a', 1, 2], a2: ['a', 3, 4], m: ['b', 1, 9] },
        {
          r1: [
            ['m', 10],
            ['a1', 11],
          ],
          r2: [
            ['a2', 10],
            ['m', 11],
          ],
        },
      ),
  ),
  mutant(
    'an effect comes before its cause for everybody',
    {
      'order.causal': {
        kind: 'contradiction',
        message: 'c#3',
        step: '4',
        detail: /c had received a#4 before it sent c#3/,
      },
    },
    (run) => swapOnBus(run, 'a#4', 'c#3'),
  ),
  mutant(
    'an effect comes before its cause in one lane',
    {
      'order.causal': { kind: 'inverted', message: 'y', summary: /^r2 got y before x/ },
      'order.total': { kind: 'contradiction' },
    },
    nothing,
    () =>
      small(
        { x: ['a', 1, 90], y: ['b', 30, 40] },
        {
          b: [['x', 20]],
          r1: [
            ['x', 95],
            ['y', 96],
          ],
          r2: [
            ['y', 95],
            ['x', 96],
          ],
        },
      ),
  ),
  mutant(
    'a chain of causes is broken',
    { 'order.causal': { kind: 'contradiction', message: 'z', detail: /had received/ } },
    nothing,
    () =>
      small(
        { x: ['a', 1, 90], y: ['b', 30, 90], z: ['c', 50, 90] },
        {
          b: [['x', 20]],
          c: [['y', 40]],
          r: [
            ['z', 95],
            ['x', 96],
          ],
        },
      ),
  ),
  mutant(
    'a message is seen before it was sent',
    { 'order.causal': { kind: 'before-sent', message: 'a#1', step: '1' } },
    (run) => {
      got(run, 'r1', 'a#1').t = 5;
    },
  ),
];
