// SPDX-License-Identifier: MIT
// Which clients a bus that evicts may evict: those whose queue may be full when somebody sends to them.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { plan } from '../../../runner/plan/index.ts';
import { bus, topologyOf } from './predicted.ts';

function allVictims(source: string): string[] {
  const topology = topologyOf(source);
  const { prediction } = plan(topology, { seed: 1 });
  return topology.clients.map(({ name }) => name).filter((name) => prediction.mayBeEvicted(name));
}

const victims = (traffic: string, settings = 'queueLength: 2, overflow: evict'): string[] =>
  allVictims(bus(settings, traffic));

const flood = (count: number) => `- { send: { from: a, to: b, count: ${count} } }`;

describe('who may be evicted', () => {
  it('is nobody while all that is sent fits into the queues', () => {
    assert.deepEqual(victims('  - a -> b: "x"\n  - a -> m: "x"\n  - fault: { expel: b }'), []);
    assert.deepEqual(victims(`  ${flood(3)}`), []);
  });

  it('is a client that does not read, by the message that does not fit', () => {
    const messages = (count: number) => Array.from({ length: count }, () => '  - a -> m: "x"').join('\n');
    assert.deepEqual(victims(messages(3)), []);
    assert.deepEqual(victims(messages(4)), ['m']);
  });

  it('is a reader that may be too slow', () => {
    assert.deepEqual(victims(`  ${flood(9)}`), ['b']);
    assert.deepEqual(victims(`  - parallel:\n    ${flood(2)}\n    - c -> a: "x"\n    ${flood(2)}`), ['b']);
  });

  it('is nobody on a bus that blocks', () =>
    assert.deepEqual(victims(`  ${flood(9)}`, 'queueLength: 2'), []));

  it('is anybody on a bus that evicts if too much may happen, and nobody on others', () => {
    const source = (overflow: string) => `
buses: { cabin: { queueLength: 1, overflow: ${overflow} }, quiet: {} }
groups: { g: { bus: cabin, prefix: 1 } }
clients: { s: { bus: cabin }, r: { bus: cabin, replicas: 40, groups: [g] }, q: { bus: quiet } }
traffic:
  - { send: { from: s, to: g, count: 4 } }
  - { send: { from: s, to: g, count: 4 } }`;
    assert.ok(allVictims(source('evict')).includes('s'));
    assert.ok(!allVictims(source('evict')).includes('q'));
    assert.deepEqual(allVictims(source('block')), []);
  });
});
