// SPDX-License-Identifier: MIT
// Expectations of the model: what must be, what may be, what is right as well, and the reason in every failure.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Expected } from '../../../runner/plan/plan.ts';
import { judge } from '../../../runner/verdict/index.ts';
import type { Failure } from '../../../runner/verdict/verdict.ts';
import { makeRun } from './helpers/make-run.ts';

const WHY = 'each joined member gets one copy (section 3.4)';
const MODELLED: Expected = { kind: 'delivered', lanes: ['b'], may: ['c'], or: ['EAGAIN'], because: WHY };
const REFUSED: Expected = {
  kind: 'error',
  errno: 'EPIPE',
  or: ['ENOBUFS'],
  because: 'it was expelled (section 5)',
};

interface Outcome {
  readonly b?: number;
  readonly c?: number;
  readonly d?: number;
  readonly error?: string;
  /** Absent: it returned. */
  readonly pending?: true;
}

/** What is said of one message of a to a group that had this outcome. */
function failures(expected: Expected, { error, pending, ...copies }: Outcome): Failure[] {
  const lane = (n = 0) => Array.from({ length: n }, () => ({ name: 'm', t: 150 }));
  const { plan, trace } = makeRun({
    clients: ['a', 'b', 'c', 'd'].map((name) => ({ name })),
    sent: [
      { name: 'm', from: 'a', to: ['b'], t0: 100, ...(!pending && { t1: 200 }), ...(error && { error }) },
    ],
    lanes: { b: lane(copies.b), c: lane(copies.c), d: lane(copies.d) },
  });
  Object.assign(plan.messages[0] as object, { expected });
  const { checks } = judge(plan, trace);
  return checks
    .filter(({ name }) => name === 'recipients' || name === 'errors')
    .flatMap((check) => check.failures);
}

const passes = (expected: Expected, outcome: Outcome) => assert.deepEqual(failures(expected, outcome), []);

function fails(expected: Expected, outcome: Outcome, kind: string, ...says: readonly RegExp[]): void {
  const found = failures(expected, outcome);
  assert.deepEqual(
    found.map((failure) => failure.kind),
    [kind],
  );
  const text = [found[0]?.summary, ...(found[0]?.detail ?? [])].join('\n');
  for (const pattern of says) assert.match(text, pattern);
}

describe('verdict by the model', () => {
  it('accepts an optional copy, and its absence', () => {
    passes(MODELLED, { b: 1, c: 1 });
    passes(MODELLED, { b: 1 });
  });

  it('finds the loss of a required copy, and says why it is required', () =>
    fails(
      MODELLED,
      { c: 1 },
      'lost',
      /b did not get m/,
      /the model expects this, because each joined member/,
      /with or without: c/,
    ));

  it('finds a copy for a client that may not get it', () =>
    fails(MODELLED, { b: 1, d: 1 }, 'extra', /d got m/, /the model expects this, because/));

  it('finds two copies of an optional one', () =>
    fails(MODELLED, { b: 1, c: 2 }, 'duplicated', /c got m more than once/));

  it('accepts a possible error, if nobody got the message', () => passes(MODELLED, { error: 'EAGAIN' }));

  it('finds an error that is not possible', () =>
    fails(
      MODELLED,
      { error: 'ENOBUFS' },
      'unexpected-error',
      /failed with ENOBUFS/,
      /right as well: EAGAIN/,
    ));

  it('finds a client that got the message although its send failed as it may', () =>
    fails(MODELLED, { error: 'EAGAIN', c: 1 }, 'delivered-though-failed', /c got it/));

  it('accepts each of the possible errors', () => {
    passes(REFUSED, { error: 'EPIPE' });
    passes(REFUSED, { error: 'ENOBUFS' });
  });

  it('finds another error, and success', () => {
    fails(REFUSED, { error: 'EAGAIN' }, 'wrong-errno', /not EPIPE/, /because it was expelled \(section 5\)/);
    fails(REFUSED, { b: 1 }, 'unexpected-success', /it was expelled/);
  });

  it('wants a send that never returned to have reached all its recipients, or none', () => {
    passes(MODELLED, { pending: true });
    passes(MODELLED, { pending: true, b: 1 });
    fails(MODELLED, { pending: true, c: 1 }, 'partial', /reached only some/, /the model expects/);
    fails(MODELLED, { pending: true, b: 1, d: 1 }, 'extra');
  });
});
