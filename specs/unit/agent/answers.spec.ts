// SPDX-License-Identifier: MIT
// What a node agent itself waits for: the answer of one order, among the lines that it passes on.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Answers } from '../../../runner/agent/answers.ts';

const line = (report: object) => Buffer.from(JSON.stringify(report));

describe('answers', () => {
  it('come by their number, with whether the order was carried out', async () => {
    const answers = new Answers();
    const [one, two] = [answers.wait(1), answers.wait(2)];
    answers.see(line({ say: 'sends', list: [] }));
    answers.see(line({ say: 'failed', id: 2, t: 1, error: { code: 'X', message: 'x' } }));
    answers.see(line({ say: 'done', id: 1, t: 2 }));
    assert.deepEqual(await Promise.all([one, two]), [true, false]);
  });

  it('are no, for all that wait when the process ends', async () => {
    const answers = new Answers();
    const both = [answers.wait(1), answers.wait(2)];
    answers.end();
    assert.deepEqual(await Promise.all(both), [false, false]);
  });
});
