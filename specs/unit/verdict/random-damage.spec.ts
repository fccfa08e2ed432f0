// SPDX-License-Identifier: MIT
// One damage somewhere in a random run: found by the right check, whatever else the run holds.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { judge } from '../../../runner/verdict/index.ts';
import { renumber } from './helpers/make-run.ts';
import { generate, type Random, random } from './helpers/random-run.ts';
import type { OpenDelivery, Run } from './helpers/story.ts';

interface Spot {
  readonly log: OpenDelivery[];
  readonly i: number;
  readonly d: OpenDelivery;
}

const damages: Readonly<
  Record<string, { readonly check: string; readonly damage: (spot: Spot) => unknown }>
> = {
  'a lost copy': { check: 'recipients', damage: ({ log, i }) => log.splice(i, 1) },
  'a copy twice': { check: 'recipients', damage: ({ log, i, d }) => log.splice(i, 0, { ...d }) },
  'a stranger': {
    check: 'recipients',
    damage: ({ log, i, d }) => log.splice(i, 0, { ...d, message: null }),
  },
  'a corrupted body': { check: 'integrity', damage: ({ d }) => Object.assign(d, { intact: false }) },
  'a wrong sender': {
    check: 'integrity',
    damage: ({ d }) => Object.assign(d, { from: '0000/0000000000ff' }),
  },
  'a wrong uid': {
    check: 'integrity',
    damage: ({ d }) => Object.assign(d, { credentials: { pid: 1, uid: 1, gid: 1 } }),
  },
  'a descriptor too many': { check: 'integrity', damage: ({ d }) => Object.assign(d, { fds: 1 }) },
};

const RUNS = 150;

describe('verdict of a random run with one damage', () => {
  for (const [name, { check, damage }] of Object.entries(damages)) {
    it(`finds ${name} in ${RUNS} runs`, () => {
      let found = 0;
      for (let seed = 0; found < RUNS; seed++) {
        const run = generate(seed);
        const spot = choose(random(seed), run);
        if (!spot) continue;
        damage(spot);
        renumber(spot.log);
        assert.deepEqual(failing(run), [check], `seed ${seed}`);
        found++;
      }
    });
  }

  it('never throws, whatever the order', () => {
    for (let seed = 0; seed < 300; seed++) {
      const run = generate(seed);
      const r = random(seed);
      for (const log of run.trace.deliveries.values()) log.sort(() => r(3) - 1);
      for (const send of run.trace.sends) if (r(4) === 0) delete send.t1;
      for (const d of [...run.trace.deliveries.values()].flat()) if (r(10) === 0) d.message = r(200);
      assert.doesNotThrow(() => judge(run.plan, run.trace), `seed ${seed}`);
    }
  });
});

/** A copy without descriptors, for its pipe would tell too, and not one that only eavesdropping brings. */
function choose(r: Random, run: Run): Spot | undefined {
  const eavesdroppers = new Set(run.plan.topology.clients.filter((c) => c.eavesdrop).map((c) => c.name));
  const spots = [...run.trace.deliveries.values()].flatMap((log) =>
    log
      .map((d, i): Spot => ({ log, i, d }))
      .filter(({ d }) => !d.fence && d.fds === 0 && !eavesdroppers.has(d.lane)),
  );
  return spots[r(Math.max(1, spots.length))];
}

const failing = ({ plan, trace }: Run): string[] =>
  judge(plan, trace)
    .checks.filter((c) => c.result === 'fail')
    .map((c) => c.name);
