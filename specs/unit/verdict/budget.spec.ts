// SPDX-License-Identifier: MIT
// Budgets are judged by the agents' clock: figures that a trace gives, beside limits that a file sets.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { load } from '../../../runner/load/index.ts';
import { plan as makePlan } from '../../../runner/plan/index.ts';
import type { Plan } from '../../../runner/plan/plan.ts';
import type { Trace } from '../../../runner/trace/trace.ts';
import { judge } from '../../../runner/verdict/index.ts';

const MS = 1e6;

/** Five messages, sent one every 10 ms; the nth takes n ms to each of two readers. */
function ran(expect: string, below = ''): { plan: Plan; trace: Trace } {
  const source = `buses: { cabin: {} }
clients: { a: {}, b: { addresses: ["0001/000000000001"] }, c: { addresses: ["0001/000000000002"] }, m: { receive: manual } }
traffic:
  - send: { from: a, to: 0001/ffffffffffff, count: 5 }
    expect: { recipients: [b, c]${below} }
  - a -> m: "read much later"
    expect: { recipients: [m] }
expect: ${expect}`;
  const { topology } = load('spec.topo.yaml', { source });
  assert.ok(topology);
  const plan = makePlan(topology, { seed: 1 });
  const none = { fence: false, intact: true, truncated: false, controlTruncated: false, fds: 0, lost: 0 };
  const got = (lane: string, message: number, position: number, t: number) => {
    const { length } = plan.messages[message] ?? { length: 0 };
    return { ...none, lane, message, position, t, length, from: '0000/000000000001' };
  };
  const reader = (lane: string) =>
    Array.from({ length: 5 }, (_, n) => got(lane, n, n, (n * 10 + n + 1) * MS));
  return {
    plan,
    trace: {
      sends: Array.from({ length: 6 }, (_, message) => ({
        agent: 'a',
        message,
        t0: message * 10 * MS,
        t1: (message * 10 + 0.5) * MS,
      })),
      deliveries: new Map([
        ['b', reader('b')],
        ['c', reader('c')],
        ['m', [got('m', 5, 0, 9000 * MS)]],
      ]),
      ...{ pipes: [], attaches: [], ends: [], steps: [], exits: [], kernel: [], fences: [], socketsLeft: 0 },
    },
  };
}

function budget(expect: string, below?: string) {
  const { plan, trace } = ran(expect, below);
  return judge(plan, trace).checks.find(({ name }) => name === 'budget');
}
const failures = (expect: string, below?: string) =>
  (budget(expect, below)?.failures ?? []).map(({ summary, observed }) => `${summary}: ${observed}`);

describe('budgets', () => {
  it('are no check in a file without any', () => assert.equal(budget('{}'), undefined));

  it('are no check if no run can exceed them', () => {
    const idle = budget('{ latency: { p99: 2m } }');
    assert.deepEqual([idle?.result, idle?.checked, idle?.reason], ['skip', 0, 'no limit can be exceeded']);
    assert.equal(budget('{ latency: { p50: 1s, p99: 60m } }')?.checked, 1);
  });

  it('hold up to the limit itself', () => {
    assert.deepEqual(failures('{ latency: { p50: 3ms, p90: 5ms, p99: 5ms, max: 5ms } }'), []);
    assert.equal(budget('{ latency: { p50: 3ms } }')?.unit, 'limit: p50 3 ms (at most 3 ms)');
  });

  it('show the figure if they do not hold', () => {
    assert.deepEqual(failures('{ latency: { p50: 2ms, max: 4.9ms } }'), [
      'latency max misses its budget: 5 ms',
      'latency p50 misses its budget: 3 ms',
    ]);
  });

  it('leave out clients that read only when told to', () => {
    assert.deepEqual(failures('{ latency: { max: 5ms } }'), []);
  });

  it('count messages by the time in which sends were on', () => {
    // The first step: 5 messages in 45 ms. Both: 6 in 45.5 ms.
    assert.deepEqual(failures('{}', ', throughput: { min: 112/s }'), [
      'throughput of step 1 misses its budget: 111/s',
    ]);
    assert.deepEqual(failures('{}', ', throughput: { min: 111/s }'), []);
    assert.deepEqual(failures('{ throughput: { min: 132/s } }'), ['throughput misses its budget: 132/s']);
    assert.deepEqual(failures('{ throughput: { min: 131/s } }'), []);
  });

  it('do not hold if nothing was measured', () => {
    const { plan, trace } = ran('{ latency: { p50: 1s } }');
    const nothing = { ...trace, sends: [], deliveries: new Map() };
    const check = judge(plan, nothing).checks.find(({ name }) => name === 'budget');
    assert.deepEqual([check?.result, check?.failures[0]?.kind], ['fail', 'unmeasured']);
  });
});
