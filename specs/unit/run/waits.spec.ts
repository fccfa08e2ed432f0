// SPDX-License-Identifier: MIT
// Nothing that is waited for is ever forgotten: each answer settles one wait, a death or the end of the run all of them.
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { Waits } from '../../../runner/run/waits.ts';

const KEY = { who: 'lidar', answer: 'exit' } as const;
const PURPOSE = { what: 'lidar to end' };

describe('waits', () => {
  it('for the same answer are settled one by one, the oldest first', async () => {
    const waits = new Waits();
    const [one, other] = [waits.add(KEY, PURPOSE), waits.add(KEY, PURPOSE)];
    waits.take(KEY)?.resolve({ result: { ok: true } } as never);
    waits.take(KEY)?.resolve({ gone: true });
    assert.deepEqual(await Promise.all([one, other]), [{ result: { ok: true } }, { gone: true }]);
    assert.equal(waits.take(KEY), undefined);
  });

  it('for an agent that is gone are all answered with that', async () => {
    const waits = new Waits();
    const all = [waits.add(KEY, PURPOSE), waits.add(KEY, PURPOSE), waits.add({ ...KEY, answer: 7 }, PURPOSE)];
    waits.gone('lidar');
    assert.deepEqual(await Promise.all(all), [{ gone: true }, { gone: true }, { gone: true }]);
    assert.deepEqual(waits.list(), []);
  });

  it('are all ended by what ends the run, those that come later too', async () => {
    const waits = new Waits();
    const over = new Error('the deadline');
    const all = [waits.add(KEY, PURPOSE), waits.add(KEY, PURPOSE)];
    waits.end(over);
    for (const wait of [...all, waits.add(KEY, PURPOSE), waits.over]) await assert.rejects(wait, over);
  });

  it('that come after the end need not be awaited: another one reports it', async () => {
    const unhandled: unknown[] = [];
    const hear = (error: unknown) => void unhandled.push(error);
    process.on('unhandledRejection', hear);
    const waits = new Waits();
    waits.end(new Error('the deadline'));
    void waits.add(KEY, PURPOSE);
    await setImmediate();
    process.off('unhandledRejection', hear);
    assert.deepEqual(unhandled, []);
  });
});
