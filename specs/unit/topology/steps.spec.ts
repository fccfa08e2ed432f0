// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { load } from '../../../runner/load/index.ts';
import { areConcurrent, faults, flat, sends, strands, walk } from '../../../runner/topology/steps.ts';
import type { Step } from '../../../runner/topology/topology.ts';

const { topology } = load('nested.topo.yaml', {
  source: `
buses: { cabin: {} }
clients: { a: {}, b: {}, c: {} }
traffic:
  - a -> b: x
  - parallel:
      - - a -> b: x
        - parallel:
            - b -> c: x
            - fault: { pause: c, for: 1ms }
        - a -> c: x
      - fault: { expel: b }
`,
});
const steps: readonly Step[] = topology?.steps ?? [];
const ids = (some: Iterable<Step>) => [...some].map(({ id }) => id);

describe('the walk over steps', () => {
  it('visits each step, a parallel step before its branches', () => {
    const nested = ['2.b1.2', '2.b1.2.b1.1', '2.b1.2.b2.1', '2.b1.2.b2.1.end'];
    assert.deepEqual(ids(flat(steps)), ['1', '2', '2.b1.1', ...nested, '2.b1.3', '2.b2.1']);
    assert.deepEqual(ids(sends(steps)), ['1', '2.b1.1', '2.b1.2.b1.1', '2.b1.3']);
    assert.deepEqual(ids(faults(steps)), ['2.b1.2.b2.1', '2.b1.2.b2.1.end', '2.b2.1']);
  });

  it('tells the top-level step of each', () => {
    const tops = new Map([...walk(steps)].map(({ step, top }) => [step.id, top]));
    assert.deepEqual([tops.get('1'), tops.get('2'), tops.get('2.b1.2.b2.1')], [0, 1, 1]);
  });

  it('tells whether either of two may come first', () => {
    const at = new Map([...walk(steps)].map((visit) => [visit.step.id, visit]));
    const beside = (one: string, other: string) => {
      const [a, b] = [at.get(one), at.get(other)];
      assert.ok(a && b);
      return areConcurrent(a, b);
    };
    assert.ok(beside('2.b1.1', '2.b2.1'));
    assert.ok(beside('2.b1.2.b1.1', '2.b1.2.b2.1'));
    assert.ok(!beside('2.b1.2.b1.1', '2.b1.3'));
    assert.ok(!beside('1', '2.b1.1'));
  });

  it('takes a parallel step inside a branch as parallel to the rest of the branch', () => {
    assert.deepEqual(strands(steps).map(ids), [
      ['1'],
      ['2.b1.1', '2.b1.3'],
      ['2.b1.2.b1.1'],
      ['2.b1.2.b2.1', '2.b1.2.b2.1.end'],
      ['2.b2.1'],
    ]);
  });
});
