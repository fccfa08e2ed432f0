// SPDX-License-Identifier: MIT
// A change of the bus inside a step has its own moment there: what came before that moment is not excused by the change.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { complaints, playText } from './play.ts';

const JOINS = (after: number) => `
buses: { cabin: {} }
clients: { a: {}, b: {}, c: {}, late: { join: false } }
traffic:
  - parallel:
      - send: { from: a, to: cabin, count: 3 }
      - send: { from: c, to: cabin, count: 3 }
      - fault: { join: late, after: ${after} }
`;

describe('a message before a join of the same step', () => {
  for (let after = 1; after < 6; after++) {
    it(`does not reach the client that joins after ${after} of 6`, async () => {
      for (let seed = 1; seed <= 10; seed++) {
        const sound = await playText(JOINS(after), { seed });
        assert.deepEqual(complaints(sound.verdict), []);
        const { verdict } = await playText(JOINS(after), { seed, bug: { name: 'ignore-join', every: 1 } });
        const failed = verdict.checks.flatMap(({ failures }) =>
          failures.map(({ check, kind }) => `${check} ${kind}`),
        );
        assert.deepEqual(failed, ['recipients notLinearizable'], `seed ${seed}`);
      }
    });
  }
});
