// SPDX-License-Identifier: MIT
// Where it takes luck for a step to end, the prediction says so: the fuzzer plays no such topology.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { predict } from '../../../runner/predict/index.ts';
import { topologyOf } from './predicted.ts';

const dependsOnOrder = (source: string): boolean => {
  const roughly = () => ({ length: 64, bytes: () => new Uint8Array(64) });
  return predict(topologyOf(source), roughly).findings.some(({ kind }) => kind === 'order-dependent');
};

const orderDependent = (second: string): boolean => {
  const source = `
buses: { cabin: { queueLength: 1 } }
clients: { ear: { eavesdrop: true, receive: manual } }
traffic:
  - parallel:
      - send: { from: cabin.master, to: cabin.master, count: 5 }
      - ${second}`;
  return dependsOnOrder(source);
};

describe('a step that may end', () => {
  it('is distinguished from one that must, also if branches block it in turn', () => {
    assert.ok(
      orderDependent('[{ fault: { read: ear, count: 1 } }, { send: { from: cabin.master, to: cabin } }]'),
    );
    assert.ok(!orderDependent('[{ fault: { read: ear } }, { send: { from: cabin.master, to: cabin } }]'));
  });

  it('may be a fault on a client that the bus may have evicted', () => {
    const source = (overflow: string) => `
buses: { cabin: { queueLength: 1, overflow: ${overflow} } }
clients: { mouth: {}, ear: { receive: manual } }
traffic:
  - parallel:
      - { send: { from: mouth, to: ear, count: 3, nonblocking: true } }
      - { fault: { add-address: ear, address: "0002/000000000001" } }`;
    assert.ok(dependsOnOrder(source('evict')));
    assert.ok(!dependsOnOrder(source('fail')));
  });

  it('is found if a sender that waits in one branch sends in another', () => {
    const source = (second: string) => `
buses: { cabin: { queueLength: 2 } }
clients: { mouth: {}, other: {}, ear: { receive: manual } }
traffic:
  - parallel:
      - [{ send: { from: ${second}, to: other } }, { fault: { stop: ear } }]
      - { send: { from: mouth, to: ear, count: 5 } }`;
    assert.ok(dependsOnOrder(source('mouth')));
    assert.ok(dependsOnOrder(source('mouth, count: 2')));
    assert.ok(!dependsOnOrder(source('mouth, nonblocking: true')));
    assert.ok(!dependsOnOrder(source('other')));
  });
});
