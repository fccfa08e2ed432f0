// SPDX-License-Identifier: MIT
// Two faults may strike one party at once: both take effect, or find it gone, and the run goes on. Those of which only
// one can be done are errors of the file.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { complaints, playText } from './play.ts';

const PAIRS: readonly (readonly [string, string])[] = [
  ['{ pause: c }', '{ pause: c }'],
  ['{ pause: c, for: 1s }', '{ pause: c, for: 2s }'],
  ['{ pause: c }', '{ kill: c }'],
  ['{ kill: b.master }', '{ leave: b.master }'],
];

describe('two faults at once', () => {
  for (const [one, other] of PAIRS) {
    it(`${one} beside ${other}`, async () => {
      for (let seed = 1; seed <= 5; seed++) {
        const { verdict } = await playText(
          `buses: { b: { master: { node: m } } }
nodes: { m: {}, n: {} }
clients: { a: { node: m }, c: { node: n }, d: { node: m } }
traffic:
  - a -> d: before
  - parallel: [{ fault: ${one} }, { fault: ${other} }]
  - a -> d: after
`,
          { seed },
        );
        assert.deepEqual(complaints(verdict), []);
      }
    });
  }
});
