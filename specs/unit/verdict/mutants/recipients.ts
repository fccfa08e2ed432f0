// SPDX-License-Identifier: MIT
/** Damage to who got what. */

import { got, indexIn, insert, logOf, lose } from '../helpers/base-run.ts';
import { fault, withSteps } from '../helpers/base-run-with-steps.ts';
import type { OpenDelivery } from '../helpers/story.ts';
import { type Mutant, mutant } from '../mutants.ts';

export const recipientsMutants: readonly Mutant[] = [
  mutant(
    'a delivery is lost',
    {
      recipients: {
        kind: 'lost',
        message: 'a#3',
        step: '2.b1.1',
        summary: /^r2 did not get a#3$/,
        detail: /r2 got a#2, not a#3/,
      },
    },
    (run) => lose(run, 'r2', 'a#3'),
  ),
  mutant(
    'a delivery is duplicated',
    { recipients: { kind: 'duplicated', message: 'c#1', summary: /r1 got c#1 more than once/ } },
    (run) => insert(run, 'r1', indexIn(run, 'r1', 'c#1') + 1, got(run, 'r1', 'c#1')),
  ),
  mutant('a copy comes again much later', { recipients: { kind: 'duplicated', message: 'a#1' } }, (run) =>
    insert(run, 'r1', 6, { ...got(run, 'r1', 'a#1'), t: 172, sequence: 100 }),
  ),
  mutant(
    'a reader that had stopped lacks a message in the end',
    { recipients: { kind: 'lost', message: 'c#3', step: '4' } },
    (run) => lose(run, 'r2', 'c#3'),
    withSteps(fault('7', { fault: 'stop-reading', client: 'r2' })),
  ),
  mutant(
    'a message reaches somebody who is no member',
    { recipients: { kind: 'extra', message: 'a#1', detail: /c is not among/ } },
    (run) =>
      insert(run, 'c', 0, { ...got(run, 'r1', 'a#1'), credentials: { pid: 100, uid: 1000, gid: 1000 } }),
  ),
  mutant(
    'a message reaches a client that was not admitted',
    { recipients: { kind: 'extra', message: 'c#3', detail: /out has not joined bus b/ } },
    (run) => insert(run, 'out', 0, got(run, 'r2', 'c#3')),
  ),
  mutant(
    'a message reaches another bus',
    { recipients: { kind: 'extra', message: 'a#1', detail: /on bus b, far on bus x/ } },
    (run) => insert(run, 'far', 0, got(run, 'r2', 'a#1')),
  ),
  mutant(
    'a fence reaches another bus',
    { recipients: { kind: 'invented', summary: /far got fence 1/ } },
    (run) => insert(run, 'far', 0, logOf(run, 'r2').at(-1) as OpenDelivery),
  ),
  mutant(
    'a fence reaches a client that was not admitted',
    { recipients: { kind: 'extra', summary: /out got fence 1/ } },
    (run) => insert(run, 'out', 0, logOf(run, 'r2').at(-1) as OpenDelivery),
  ),
  mutant(
    'a fence comes twice',
    { recipients: { kind: 'duplicated', summary: /r2 got fence 1 again/ } },
    (run) => insert(run, 'r2', 7, logOf(run, 'r2').at(-1) as OpenDelivery),
  ),
  mutant(
    "another run's message arrives",
    { recipients: { kind: 'invented', summary: /r3 got a message that is not of this run/ } },
    (run) => insert(run, 'r3', 2, { ...got(run, 'r3', 'a#2'), message: null }),
  ),
  mutant(
    'a message arrives that no plan has',
    { recipients: { kind: 'invented', detail: /its number is 999 of 9/ } },
    (run) => insert(run, 'r3', 2, { ...got(run, 'r3', 'a#2'), message: 999 }),
  ),
  mutant(
    'an eavesdropped copy is lost, uncounted',
    { recipients: { kind: 'unaccounted', message: 'a#5', step: '6' } },
    (run) => lose(run, 'ear', 'a#5'),
  ),
  mutant(
    'fewer eavesdropped copies are counted than lost',
    { recipients: { kind: 'unaccounted', message: 'c#3', detail: /c#3, a#5/ } },
    (run) => {
      lose(run, 'ear', 'c#3');
      lose(run, 'ear', 'a#5');
      (logOf(run, 'ear').at(-1) as OpenDelivery).lost = 1;
    },
  ),
  mutant(
    'more copies are counted as lost than are missing',
    { recipients: { kind: 'lost-count', summary: /ear was told/ } },
    (run) => {
      lose(run, 'ear', 'a#5');
      (logOf(run, 'ear').at(-1) as OpenDelivery).lost = 2;
    },
  ),
  mutant(
    'an ordinary client is told of lost copies',
    { recipients: { kind: 'lost-count', summary: /r1 was told/ } },
    (run) => {
      (logOf(run, 'r1').at(-1) as OpenDelivery).lost = 1;
    },
  ),
  mutant(
    'a written delivery names another sender',
    { recipients: { kind: 'written', message: 'a#4', summary: /another sender/ } },
    (run) => {
      run.plan.topology.deliveries.push({
        to: 'c',
        message: 'a#4',
        from: 'r1',
        place: { file: 'test.topo.yaml', line: 40, column: 3 },
      });
    },
  ),
  mutant(
    'a written delivery did not come',
    { recipients: { kind: 'written', message: 'a#4', summary: /r1 did not get a#4/ } },
    (run) => {
      run.plan.topology.deliveries.push({
        to: 'r1',
        message: 'a#4',
        place: { file: 'test.topo.yaml', line: 40, column: 3 },
      });
    },
  ),
  mutant(
    'a written delivery has other credentials',
    { recipients: { kind: 'written', message: 'a#4', summary: /another uid/ } },
    (run) => {
      const place = { file: 'test.topo.yaml', line: 40, column: 3 };
      run.plan.topology.deliveries.push({
        to: 'c',
        message: 'a#4',
        from: 'a',
        fds: 1,
        credentials: { uid: 7 },
        place,
      });
    },
  ),
];
