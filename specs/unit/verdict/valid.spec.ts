// SPDX-License-Identifier: MIT
// A bus that keeps its promises passes, whatever the interleaving.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { judge } from '../../../runner/verdict/index.ts';
import { unnumber } from './helpers/base-run.ts';
import { generate } from './helpers/random-run.ts';

describe('verdict of a correct bus', () => {
  it('passes 1000 random runs', () => {
    let sends = 0;
    for (let seed = 0; seed < 1000; seed++) {
      const run = generate(seed);
      const { plan, trace } = run;
      // The other checks need no numbers to see that a run is right.
      const isNumbered = seed % 2 === 0;
      if (!isNumbered) unnumber(run);
      sends += trace.sends.length;
      const { checks } = judge(plan, trace);
      const broken = checks.filter((c) => c.result === 'fail');
      assert.deepEqual(
        broken.flatMap((c) => c.failures).filter(({ kind }) => isNumbered || kind !== 'no-number'),
        [],
        `seed ${seed}`,
      );
    }
    assert.ok(sends > 10_000, `${sends} sends are too few to mean anything`);
  });
});
