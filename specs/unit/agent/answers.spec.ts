// SPDX-License-Identifier: MIT
// What a node agent itself waits for: orders that are carried out in turn, among the lines that it passes on.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Answers } from '../../../runner/agent/answers.ts';

describe('answers', () => {
  it('to a turn of orders are yes when its own last order is done, not when that of another turn is', async () => {
    const answers = new Answers();
    const [one, two] = [answers.turn([1, 2]), answers.turn([3])];
    answers.hear({ say: 'sends', list: [] });
    answers.hear({ say: 'done', id: 1, began: 1, t: 1 });
    answers.hear({ say: 'done', id: 3, began: 1, t: 2 });
    assert.equal(await two, true);
    assert.equal(answers.awaited, true);
    answers.hear({ say: 'done', id: 2, began: 2, t: 3 });
    assert.equal(await one, true);
    assert.equal(answers.awaited, false);
  });

  it('to a turn of orders are no when the first of them fails', async () => {
    const answers = new Answers();
    const turn = answers.turn([1, 2, 3]);
    answers.hear({ say: 'done', id: 1, began: 1, t: 1 });
    answers.hear({ say: 'failed', id: 2, t: 1, error: { code: 'X', message: 'x' } });
    assert.equal(await turn, false);
  });

  it('are no for all orders that still wait when the process ends', async () => {
    const answers = new Answers();
    const both = [answers.turn([1]), answers.turn([2])];
    answers.end();
    assert.deepEqual(await Promise.all(both), [false, false]);
  });
});
