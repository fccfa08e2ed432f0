// SPDX-License-Identifier: MIT
// Copies that may come are gone through one by one where they differ: what is said is exact where it is cheap, else that anything is right.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { predict } from '../../../runner/predict/index.ts';
import type { Step, Topology } from '../../../runner/topology/topology.ts';
import { seconds } from '../../helpers/seconds.ts';
import { topologyOf } from './predicted.ts';

const crowd = (settings: string, manual: string, first: string) => `
buses: { b: { ${settings} } }
groups: { g: { prefix: 1 } }
clients: { a: {}, r: { replicas: 1000, groups: [g] }, m: { receive: manual, ${manual} } }
traffic:
  - ${first}
  - { send: { from: a, to: g, nonblocking: true } }
`;

/** What a file writes as two: the loader takes fewer copies, all of which the prediction may have to look at many times. */
const COUNT = 200_000;

function grown(topology: Topology, count = COUNT): Topology {
  const grow = (step: Step): Step => {
    if (step.kind === 'parallel') return { ...step, branches: step.branches.map((each) => each.map(grow)) };
    return step.kind === 'send' && step.count === 2 ? { ...step, count } : step;
  };
  return { ...topology, steps: topology.steps.map(grow) };
}

/** Of the last message of the first step, and of the second step. */
function last(source: string) {
  const datagram = { length: 64, bytes: () => new Uint8Array(64) };
  const { of, findings } = predict(grown(topologyOf(source)), (_, n) => ({
    ...datagram,
    length: 64 + (n % 7),
  }));
  assert.deepEqual(findings, []);
  return [of('1', COUNT - 1), of('2', 0)];
}

const SEND = '{ send: { from: a, to: g, nonblocking: true, count: 2 } }';

describe('the effort of a prediction', function () {
  this.timeout(180_000);

  it('is small where nothing changes from message to message', async () => {
    const topology = grown(topologyOf(crowd('', 'groups: [g]', SEND)), 1_000_000);
    const took = await seconds(() => {
      const { of } = predict(topology, () => ({ length: 64, bytes: () => new Uint8Array(64) }));
      assert.deepEqual(of('1', 999_999)?.errors, ['EAGAIN']);
      assert.equal(of('1', 999_999)?.delivered, undefined);
    });
    assert.ok(took < 10, `${took} s`);
  });

  for (const [what, source] of [
    ['sizes differ', crowd('', 'groups: [g]', SEND)],
    ['a watcher misses copies', crowd('', 'eavesdrop: true', SEND)],
    ['filters look at each', crowd('', 'groups: [g], filter: { keep: "40B" }', SEND)],
    ['readers are evicted', crowd('overflow: evict', 'groups: [g]', SEND)],
    ['branches send', crowd('', 'groups: [g], filter: { keep: "40B" }', `parallel: [${SEND}, ${SEND}]`)],
  ] as const) {
    it(`has an end where ${what}`, async () => {
      const took = await seconds(() => {
        for (const allowed of last(source)) {
          if (allowed === undefined) continue; // the step of branches has no messages of its own
          assert.match(allowed.because, /more than (5 million copies|64 states|512 combinations)/);
          assert.ok(allowed.errors.includes('EAGAIN'));
          assert.ok(allowed.delivered?.may.includes('r-7'));
        }
      });
      assert.ok(took < 30, `${took} s`);
    });
  }
});
