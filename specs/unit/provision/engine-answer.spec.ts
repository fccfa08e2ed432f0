// SPDX-License-Identifier: MIT
// What an engine answers that a stranger has replaced: a list of another form is an error of the environment.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { EnvironmentError } from '../../../runner/common/errors.ts';
import { fromEngine, listOf } from '../../../runner/provision/engine-answer.ts';

interface Container {
  readonly Id: string;
  readonly Labels: Readonly<Record<string, string>> | null;
}

const listIn = (answer: unknown) => listOf<Container>(answer, ['Id'], ['Labels']);
const FINE = { Id: 'a', Labels: { run: 'b' } };
const WRONG = [null, undefined, 'x', 7, {}, { length: 1 }, [null], ['x'], [[]], [{ Id: 7, Labels: null }]];
const WRONG_LABELS = ['x', 7, { run: 7 }, { run: null }, { run: { toString: 'x' } }, [7]];

describe('the answer of an engine', () => {
  it('is a list of what was asked for', () => {
    assert.deepEqual(listIn([]), []);
    const without = { Id: 'b', Labels: null };
    assert.deepEqual(listIn([FINE, without]), [FINE, without]);
  });

  it('is an error of the environment if it has another form', () => {
    const all = [...WRONG, ...WRONG_LABELS.map((Labels) => [FINE, { ...FINE, Labels }])];
    for (const answer of all) assert.throws(() => listIn(answer), EnvironmentError, JSON.stringify(answer));
  });

  it('is an error of the environment if it is one of the connection, and none of ours is hidden', async () => {
    const failing = (error: Error) => fromEngine(() => Promise.reject(error)).catch((e: Error) => e);
    const refused = await failing(Object.assign(new Error(''), { code: 'ECONNREFUSED' }));
    assert.ok(refused instanceof EnvironmentError);
    assert.match(refused.message, /: ECONNREFUSED$/);
    const ours = new TypeError('x is undefined');
    assert.equal(await failing(ours), ours);
  });
});
