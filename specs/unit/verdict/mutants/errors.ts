// SPDX-License-Identifier: MIT
/** Damage to the outcome of sends. */

import { got, insert, lose, numberOf } from '../helpers/base-run.ts';
import { type Mutant, mutant } from '../mutants.ts';

export const errorsMutants: readonly Mutant[] = [
  mutant(
    'a failed send reaches one of many',
    { errors: { kind: 'delivered-though-failed', message: 'out#1', step: '5', summary: /yet r2 got it/ } },
    (run) =>
      insert(run, 'r2', 6, {
        ...got(run, 'r2', 'c#3'),
        message: numberOf(run, 'out#1'),
        from: '0000/000000000007',
        credentials: { pid: 106, uid: 1006, gid: 1006 },
        t: 145,
        sequence: 75,
      }),
  ),
  mutant(
    'a send fails with another error',
    { errors: { kind: 'wrong-errno', message: 'out#1', step: '5' } },
    (run) => {
      (run.trace.sends[numberOf(run, 'out#1')] as { error?: string }).error = 'EPIPE';
    },
  ),
  mutant(
    'a send succeeds that must fail',
    { errors: { kind: 'unexpected-success', message: 'out#1', step: '5' } },
    (run) => {
      delete run.trace.sends[numberOf(run, 'out#1')]?.error;
    },
  ),
  mutant(
    'a send fails that must succeed',
    { errors: { kind: 'unexpected-error', message: 'a#5', step: '6' } },
    (run) => {
      (run.trace.sends[numberOf(run, 'a#5')] as { error?: string }).error = 'EAGAIN';
      lose(run, 'ear', 'a#5');
      lose(run, 'b.master@a', 'a#5');
    },
  ),
  mutant(
    'a multicast fails and reaches some all the same',
    { errors: { kind: 'delivered-though-failed', message: 'c#3', summary: /yet r1 got it/ } },
    (run) => {
      (run.trace.sends[numberOf(run, 'c#3')] as { error?: string }).error = 'EAGAIN';
      for (const lane of ['r2', 'r3', 'ear']) lose(run, lane, 'c#3');
    },
  ),
  mutant('a message is never sent', { errors: { kind: 'unsent', message: 'a#5', step: '6' } }, (run) => {
    run.trace.sends = run.trace.sends.filter((s) => s.message !== numberOf(run, 'a#5'));
    lose(run, 'ear', 'a#5');
    lose(run, 'b.master@a', 'a#5');
  }),
];
