// SPDX-License-Identifier: MIT
/** Damage to sockets, processes and waits. */

import { indexIn, logOf, numberOf } from '../helpers/base-run.ts';
import {
  fault,
  forget,
  hangup,
  neverReturns,
  waits,
  withStepBefore,
  withSteps,
} from '../helpers/base-run-with-steps.ts';
import { renumber } from '../helpers/make-run.ts';
import type { Run } from '../helpers/story.ts';
import { type Mutant, mutant } from '../mutants.ts';

const fail = (run: Run, step: string, check: 'blocked' | 'lifetime' | 'errors') => {
  const event = run.trace.steps.find((s) => s.step === step);
  if (event) event.failure = { check, expected: 'it waits', observed: 'it does not' };
};

export const lifeMutants: readonly Mutant[] = [
  mutant(
    'a process dies unasked',
    { lifetime: { kind: 'crashed', summary: /^r2 ended, and no step had ended it/ } },
    (run) => {
      Object.assign(run.trace.exits.find((e) => e.agent === 'r2') as object, {
        code: null,
        signal: 'SIGSEGV',
        wanted: false,
      });
      forget(run, 'r2', 'a#3');
    },
  ),
  mutant(
    'a dead process had skipped a message before',
    { lifetime: { kind: 'crashed' }, recipients: { kind: 'lost', message: 'a#1', step: '1' } },
    (run) => {
      Object.assign(run.trace.exits.find((e) => e.agent === 'r2') as object, { code: 1, wanted: false });
      logOf(run, 'r2').splice(indexIn(run, 'r2', 'a#1'), 1);
      renumber(logOf(run, 'r2'));
    },
  ),
  mutant(
    'a client killed later lacks a message of before',
    { recipients: { kind: 'lost', message: 'c#3', step: '4' } },
    (run) => forget(run, 'r2', 'c#3'),
    withStepBefore('5', fault('9', { fault: 'kill', target: { kind: 'client', name: 'r2' } })),
  ),
  mutant('a socket ends unasked', { lifetime: { kind: 'ended', summary: /socket r1 ended/ } }, (run) => {
    run.trace.ends.push({ lane: 'r1', t: 155, why: 'hangup' });
  }),
  mutant(
    'a joined client is hung up on when its master leaves',
    { lifetime: { kind: 'ended', summary: /socket r1 ended/ } },
    (run) => {
      run.trace.ends.push({ lane: 'r1', t: 155, why: 'eof' });
    },
    withSteps(fault('7', { fault: 'leave', bus: 'b' })),
  ),
  mutant(
    'the master does not learn that a client is dead',
    { lifetime: { kind: 'unended', step: '9', summary: /b.master@r2 did not end after kill r2/ } },
    (run) => {
      run.trace.ends = run.trace.ends.filter(({ lane }) => lane !== 'b.master@r2');
    },
    withSteps(fault('9', { fault: 'kill', target: { kind: 'client', name: 'r2' } })),
  ),
  mutant(
    'a client does not learn that it is expelled',
    { lifetime: { kind: 'unended', step: '7', summary: /socket r3 did not end after expel r3/ } },
    (run) => {
      run.trace.ends = run.trace.ends.filter(({ lane }) => lane !== 'r3');
    },
    withSteps(fault('7', { fault: 'expel', client: 'r3' })),
  ),
  mutant(
    'a client ends before it is expelled',
    { lifetime: { kind: 'ended' } },
    (run) => {
      run.trace.ends.push({ lane: 'r3', t: 100, why: 'eof' });
      Object.assign(run.trace.steps[0] as object, { t0: 120, t1: 125 });
    },
    withSteps(fault('7', { fault: 'expel', client: 'r3' })),
  ),
  mutant(
    'a client ends before it is expelled, though the file waits for its end',
    { lifetime: { kind: 'ended', summary: /socket r3 ended/ } },
    (run) => {
      run.trace.ends.push({ lane: 'r3', t: 100, why: 'eof' });
      Object.assign(run.trace.steps[0] as object, { t0: 120, t1: 125 });
    },
    withSteps(fault('7', { fault: 'expel', client: 'r3' }), hangup),
  ),
  mutant(
    'a client that nobody could evict ends',
    { lifetime: { kind: 'ended', summary: /socket r3 ended/ } },
    (run) => {
      for (const bus of run.plan.topology.buses) bus.overflow = 'evict';
      run.trace.ends.push({ lane: 'r3', t: 100, why: 'eof' });
    },
  ),
  mutant(
    'an expelled client is not hung up on',
    { lifetime: { kind: 'step', step: '8' } },
    (run) => fail(run, '8', 'lifetime'),
    withSteps(hangup),
  ),
  mutant(
    'a step about an end was not played',
    { lifetime: { kind: 'unplayed', step: '8' } },
    (run) => {
      run.trace.steps = [];
    },
    withSteps(hangup),
  ),
  mutant(
    'part of a record is missing',
    { lifetime: { kind: 'incomplete', summary: /the record of r1/ } },
    (run) => {
      for (const d of logOf(run, 'r1').slice(3)) d.position++;
    },
  ),
  mutant('the run is cut short', { lifetime: { kind: 'cut' } }, (run) => {
    run.trace.cut = 'the deadline passed';
    forget(run, 'r2', 'c#3');
  }),
  mutant(
    'the run is cut short while a reader does not read',
    { lifetime: { kind: 'cut' } },
    (run) => {
      run.trace.cut = 'the deadline passed';
      run.trace.steps = run.trace.sends.map((_, i) => ({
        step: run.plan.messages[i]?.step ?? '',
        t0: 0,
        t1: 1e9,
      }));
      forget(run, 'r2', 'c#3');
    },
    withStepBefore('4', fault('0', { fault: 'stop-reading', client: 'r2' })),
  ),
  mutant(
    'a sender that must wait does not',
    { blocked: { kind: 'step', step: '7' } },
    (run) => fail(run, '7', 'blocked'),
    withSteps(waits),
  ),
  mutant(
    'a step about waiting was not played',
    { blocked: { kind: 'unplayed', step: '7' } },
    (run) => {
      run.trace.steps = [];
    },
    withSteps(waits),
  ),
  mutant(
    'a send never returns',
    { blocked: { kind: 'never-returned', message: 'a#5', step: '6' } },
    (run) => {
      delete run.trace.sends[numberOf(run, 'a#5')]?.t1;
    },
  ),
  mutant(
    'a send that had to wait never returns, though all was read at the end',
    { blocked: { kind: 'never-returned', message: 'a#5', step: '6' } },
    neverReturns,
    withSteps(waits),
  ),
  mutant(
    'a send that had to wait does not go on when there is room, and the run is cut',
    { blocked: { kind: 'never-returned', message: 'a#5' }, lifetime: { kind: 'cut' } },
    (run) => {
      neverReturns(run);
      run.trace.cut = 'the deadline passed';
      run.trace.readOut = { stuck: [numberOf(run, 'a#5')] };
    },
    withSteps(waits),
  ),
  mutant(
    'a send never returned before its sender was killed',
    { blocked: { kind: 'never-returned', message: 'a#5' } },
    neverReturns,
    withSteps(fault('7', { fault: 'kill', target: { kind: 'client', name: 'a' } })),
  ),
  mutant(
    'a killed sender reaches some of many',
    { recipients: { kind: 'partial', message: 'c#3', step: '4' } },
    (run) => {
      delete run.trace.sends[numberOf(run, 'c#3')]?.t1;
      logOf(run, 'r2').splice(indexIn(run, 'r2', 'c#3'), 1);
      renumber(logOf(run, 'r2'));
    },
    withStepBefore('4', fault('9', { fault: 'kill', target: { kind: 'client', name: 'c' } })),
  ),
  mutant(
    'a fault step does not work',
    { errors: { kind: 'step', step: '7' } },
    (run) => fail(run, '7', 'errors'),
    withSteps(fault('7', { fault: 'expel', client: 'r3' })),
  ),
];
