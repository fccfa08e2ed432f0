// SPDX-License-Identifier: MIT
// An expectation that cannot fail is played, and is no check.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { playText } from './play.ts';

const SEEDS = Array.from({ length: 20 }, (_, n) => n + 1);

const file = (receive: string, count: number, { blocked = false, within = '10s' } = {}) => `buses: { car: {} }
clients: { a: {}, b: { receive: ${receive} } }
traffic:
  - parallel:
      - send: { from: a, to: b, count: ${count} }
      - - expect: { client: a, blocked: ${blocked}, within: ${within} }
        - fault: { read: b }
`;

async function blockedOf(source: string, seed = 1): Promise<string> {
  const { verdict } = await playText(source, { seed });
  const check = verdict.checks.find(({ name }) => name === 'blocked');
  return `${check?.result} ${check?.reason ?? check?.checked}`;
}

describe('blocked: false', () => {
  it('is a check if the client may have to wait, which it does in some schedules', async () => {
    const results = await Promise.all(SEEDS.map((seed) => blockedOf(file('manual', 12), seed)));
    assert.deepEqual(new Set(results), new Set(['pass 1', 'fail 1']));
  });

  it('is no check if there is room for all messages', async () => {
    assert.equal(await blockedOf(file('manual', 5)), 'skip no step about a wait can fail');
  });

  it('is none if a run is cut before it can fail', async () => {
    const wait = (within: string) => blockedOf(file('manual', 12, { blocked: true, within }));
    assert.equal(await wait('119s'), 'pass 1');
    assert.equal(await wait('2m'), 'skip no step about a wait can fail');
  });
});
