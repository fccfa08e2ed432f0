// SPDX-License-Identifier: MIT
// A wait that begins when the user has interrupted already fails in the hands of who waits, and nowhere else.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Deadline } from '../../../runner/common/deadline.ts';
import { Interrupted, RunTimeout } from '../../../runner/common/errors.ts';

async function unhandledIn(work: () => Promise<unknown>): Promise<unknown[]> {
  const seen: unknown[] = [];
  const before = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  const note = (reason: unknown) => seen.push(reason);
  process.on('unhandledRejection', note);
  await work();
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  for (const each of before) process.on('unhandledRejection', each);
  return seen;
}

describe('a deadline', () => {
  it('reports an interrupt once, to a later waiter too', async () => {
    const work = () =>
      assert.rejects(
        new Deadline(1000).race('an answer', AbortSignal.abort(), () => new Promise(() => {})),
        Interrupted,
      );
    assert.deepEqual(await unhandledIn(work), []);
  });

  it('reports its end once, even if nothing waits any more', async () => {
    const late = new Deadline(1).race('an answer', undefined, () => new Promise(() => {}));
    assert.deepEqual(await unhandledIn(() => assert.rejects(late, RunTimeout)), []);
  });
});
