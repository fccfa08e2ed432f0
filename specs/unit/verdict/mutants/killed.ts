// SPDX-License-Identifier: MIT
/**
 * Damage to the messages of a killed sender, which reported the return of the first of its four sends only. Everybody
 * got the first three; a reader of the third proves that the second was sent.
 */

import { got, indexIn, insert, logOf, lose, numberOf, swapIn, swapOnBus } from '../helpers/base-run.ts';
import { fault } from '../helpers/base-run-with-steps.ts';
import { makeRun } from '../helpers/make-run.ts';
import type { OpenDelivery, Party, Run, Sent } from '../helpers/story.ts';
import { type Mutant, mutant } from '../mutants.ts';

const clients: readonly Party[] = [
  { name: 'a' },
  { name: 'r1', groups: ['g'] },
  { name: 'r2', groups: ['g'] },
  { name: 'ear', eavesdrop: true },
];

const READERS = ['r1', 'r2', 'ear'];
const common = { from: 'a', to: READERS, t0: 10, step: '1' };
const sent: readonly Sent[] = [
  { ...common, name: 'a#1', t1: 20 },
  { ...common, name: 'a#2' },
  { ...common, name: 'a#3' },
  { ...common, name: 'a#4' },
];

const log = ['a#1', 'a#2', 'a#3'].map((name, i) => ({ name, t: 30 + i, sequence: 10 * (i + 1) }));
const kill = (memory?: number) =>
  fault('2', { fault: 'kill', target: { kind: 'client', name: 'a' }, ...(memory && { memory }) });

/** The kill comes first in the file, so no send had to return before it. */
const killed = (memory?: number) => (): Run => {
  const lanes = Object.fromEntries(READERS.map((lane) => [lane, log]));
  const run = makeRun({ clients, sent, lanes, steps: [kill(memory)] });
  run.plan.topology.steps.reverse();
  return run;
};

const damaged = (name: string, breaks: Mutant['breaks'], damage: (run: Run) => void) =>
  mutant(name, breaks, damage, killed());

const loseAll = (run: Run, name: string) => {
  for (const lane of READERS) lose(run, lane, name);
};

const tellLost = (run: Run, lost: number) => {
  (logOf(run, 'ear').at(-1) as OpenDelivery).lost = lost;
};

export const killedMutants: readonly Mutant[] = [
  damaged(
    'a message of a killed sender comes twice',
    { recipients: { kind: 'duplicated', message: 'a#3', summary: /^r1 got a#3 more than once/ } },
    (run) => insert(run, 'r1', indexIn(run, 'r1', 'a#3') + 1, got(run, 'r1', 'a#3')),
  ),
  damaged(
    'a reader lacks a message of a killed sender, and has a later one',
    { recipients: { kind: 'lost', message: 'a#2', summary: /^r2 did not get a#2/ } },
    (run) => lose(run, 'r2', 'a#2'),
  ),
  damaged(
    'all readers lack a message of a killed sender, and have a later one',
    { recipients: { kind: 'lost', message: 'a#2' } },
    (run) => loseAll(run, 'a#2'),
  ),
  damaged(
    'a reader lacks a message of a killed sender, of which another reader has a later one',
    { recipients: { kind: 'lost', message: 'a#2', summary: /^r2 did not get a#2/ } },
    (run) => {
      lose(run, 'r2', 'a#2');
      lose(run, 'r2', 'a#3');
    },
  ),
  damaged(
    'an eavesdropped copy of a killed sender is lost, uncounted',
    { recipients: { kind: 'unaccounted', message: 'a#2' } },
    (run) => lose(run, 'ear', 'a#2'),
  ),
  damaged(
    'more eavesdropped copies of a killed sender are counted as lost than can be',
    { recipients: { kind: 'lost-count', summary: /ear was told/ } },
    (run) => tellLost(run, 2),
  ),
  damaged(
    "a killed sender's messages change places for everybody",
    { 'order.fifo': { kind: 'inverted', message: 'a#2', step: '1', summary: /a sent a#2 first/ } },
    (run) => swapOnBus(run, 'a#2', 'a#3'),
  ),
  damaged(
    "a killed sender's messages change places in one lane",
    {
      'order.fifo': { kind: 'inverted', message: 'a#2', summary: /^r2 got a#3 before a#2/ },
      'order.total': { kind: 'sequence-differs' },
    },
    (run) => swapIn(run, 'r2', 'a#2', 'a#3'),
  ),
  damaged(
    "a killed sender's message comes before one whose send had returned",
    { 'order.fifo': { kind: 'inverted', message: 'a#1', step: '1' } },
    (run) => swapOnBus(run, 'a#1', 'a#2'),
  ),
];

export const killedHarmless: readonly Mutant[] = [
  damaged('a killed sender did not send all its messages', {}, () => {}),
  damaged('the last message of a killed sender was not sent', {}, (run) => loseAll(run, 'a#3')),
  damaged('an eavesdropper missed a message of a killed sender', {}, (run) => {
    lose(run, 'ear', 'a#2');
    tellLost(run, 1);
  }),
  damaged('an eavesdropper missed a message of a killed sender that others did not get', {}, (run) => {
    loseAll(run, 'a#3');
    tellLost(run, 1);
  }),
  damaged('a send of a killed sender may have failed', {}, (run) => {
    loseAll(run, 'a#2');
    const message = run.plan.messages[numberOf(run, 'a#2')];
    if (message) message.expected.or = ['EAGAIN'];
  }),
  mutant('a sender without memory may have failed', {}, (run) => loseAll(run, 'a#2'), killed(4096)),
];
