// SPDX-License-Identifier: MIT
/** What is no damage at all. */

import { indexIn, logOf } from '../helpers/base-run.ts';
import {
  fault,
  forget,
  hangup,
  neverReturns,
  withStepBefore,
  withSteps,
} from '../helpers/base-run-with-steps.ts';
import { renumber } from '../helpers/make-run.ts';
import { type Mutant, mutant } from '../mutants.ts';
import { outOfMemory, splat } from './kernel.ts';

export const harmless: readonly Mutant[] = [
  mutant('an eavesdropped copy is lost and counted', {}, (run) => {
    logOf(run, 'ear').splice(indexIn(run, 'ear', 'a#5'), 1);
    renumber(logOf(run, 'ear'));
    const last = logOf(run, 'ear').at(-1);
    if (last) last.lost = 1;
  }),
  mutant(
    'a killed client reads no more',
    {},
    (run) => forget(run, 'r2', 'c#3'),
    withStepBefore('4', fault('9', { fault: 'kill', target: { kind: 'client', name: 'r2' } })),
  ),
  mutant(
    'an expelled client ends',
    {},
    (run) => {
      run.trace.ends.push({ lane: 'r3', t: 155, why: 'eof' }, { lane: 'b.master@r3', t: 155, why: 'eof' });
    },
    withSteps(fault('7', { fault: 'expel', client: 'r3' })),
  ),
  mutant(
    'a client that was not admitted ends with its master',
    {},
    (run) => {
      run.trace.ends.push({ lane: 'out', t: 155, why: 'hangup' });
    },
    withSteps(fault('7', { fault: 'leave', bus: 'b' })),
  ),
  mutant(
    'an expelled client ends, as the file says',
    {},
    (run) => {
      run.trace.ends.push({ lane: 'r3', t: 155, why: 'eof' }, { lane: 'b.master@r3', t: 155, why: 'eof' });
    },
    withSteps(fault('7', { fault: 'expel', client: 'r3' }), hangup),
  ),
  mutant('a client that may be evicted ends', {}, (run) => {
    run.plan.prediction = { ...run.plan.prediction, mayBeEvicted: (client) => client === 'r3' };
    run.trace.ends.push({ lane: 'r3', t: 155, why: 'eof' });
  }),
  mutant('a process is ended for want of memory', {}, splat(4, ...outOfMemory)),
  mutant('sockets end with the run', {}, (run) => {
    run.trace.ends.push({ lane: 'r1', t: 10_000, why: 'eof' });
  }),
  mutant(
    'a killed sender is still in a call',
    {},
    (run) => neverReturns(run),
    withStepBefore('6', fault('9', { fault: 'kill', target: { kind: 'client', name: 'a' } })),
  ),
  mutant('another part of the kernel says something', {}, (run) => {
    run.trace.kernel.push({ level: 4, text: 'overlayfs: upper fs does not support xattr' });
  }),
];
