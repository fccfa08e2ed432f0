// SPDX-License-Identifier: MIT
// What the model allows of sends that play at the same time: must, may and must not.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { bus, predicted } from './predicted.ts';

const says = (traffic: string, expected: readonly string[], settings = '', others = '') =>
  assert.deepEqual(predicted(bus(settings, traffic, others)), expected);

describe('predictions, in parallel', () => {
  it('are exact where branches do not touch each other', () =>
    says(
      `
  - parallel:
      - send: { from: a, to: g, count: 40 }
      - send: { from: b, to: a, count: 40 }
      - - c -> a: "x"
        - fault: { stop-reading: a }
        - fault: { read: a }`,
      ['a b ×40', 'a ×40', 'EHOSTUNREACH'],
    ));

  it('allow what a change in another branch may have done, or not yet', () =>
    says(
      `
  - parallel:
      - send: { from: a, to: g, count: 3 }
      - send: { from: c, to: a, count: 2 }
      - - b -> g: "before"
        - fault: { join: c }
        - b -> g: "after"
  - a -> g: "then"`,
      ['a b c? ×3', 'a | EHOSTUNREACH ×2', 'a b', 'a b c ×2'],
    ));

  it('are exact up to the moment that a fault waits for', () =>
    says(
      `
  - parallel:
      - send: { from: a, to: g, count: 6 }
      - - fault: { join: c, after: 2 }
        - fault: { expel: b, after: 4 }
  - a -> g: "then"`,
      ['a b ×2', 'a b c? ×2', 'a b? c? ×2', 'a c'],
    ));

  it('allow anything beside a fault that counts several senders', () =>
    says(
      `
  - parallel:
      - send: { from: a, to: g, count: 2 }
      - send: { from: b, to: g, count: 2 }
      - fault: { join: c, after: 3 }
  - a -> g: "then"`,
      ['a b c? ×4', 'a b c'],
    ));

  it('send to the holder of an address while it moves', () =>
    says(
      `
  - fault: { add-address: a, address: "0002/000000000001" }
  - parallel:
      - send: { from: m, to: 0002/000000000001, count: 2 }
      - - fault: { del-address: a, address: "0002/000000000001" }
        - fault: { add-address: b, address: "0002/000000000001" }`,
      ['a? b? cabin.master@m? ×2'],
    ));

  it('allow an expelled sender to have sent or not', () =>
    says(
      '  - parallel:\n      - send: { from: b, to: a, count: 2 }\n      - fault: { expel: b }\n  - b -> a: "x"',
      ['a | EPIPE ×2', 'EPIPE'],
    ));

  it('let a killed recipient be there or not, and its sends end', () =>
    says(
      '  - parallel:\n      - send: { from: a, to: g, count: 2 }\n      - send: { from: b, to: a, count: 2 }\n      - fault: { kill: b }',
      ['a b? ×2', 'a ×2'],
    ));

  it('know when a queue may be full, and when it must be', () =>
    says(
      `
  - send: { from: a, to: m, count: 2 }
  - parallel:
      - send: { from: a, to: m, nonblocking: true }
      - send: { from: b, to: m, nonblocking: true }
  - send: { from: a, to: m, nonblocking: true }
  - parallel:
      - send: { from: a, to: m, nonblocking: true }
      - send: { from: b, to: a, nonblocking: true }`,
      ['m ×2', 'm | EAGAIN ×2', 'EAGAIN ×2', 'a'],
      'queueLength: 2',
    ));

  it('never fail a blocking send for room', () =>
    says(
      `
  - parallel:
      - send: { from: a, to: m, count: 9 }
      - fault: { read: m }`,
      ['m ×9'],
      'queueLength: 2',
    ));

  it('may fail on a bus that fails', () =>
    says(
      '  - parallel:\n      - send: { from: a, to: b, count: 3 }\n      - send: { from: b, to: a, count: 2 }',
      ['b | ENOBUFS ×3', 'a ×2'],
      'queueLength: 1, overflow: fail',
    ));

  it('may evict a reader that is too slow, with all that follows', () =>
    says(
      '  - parallel:\n      - send: { from: a, to: b, count: 3 }\n      - send: { from: b, to: a, count: 2 }\n  - a -> b: "x"',
      ['b? cabin.master@a? ×3', 'a | ENOBUFS | EPIPE ×2', 'b? cabin.master@a?'],
      'queueLength: 1, overflow: evict',
    ));

  it('refuse what a master that has left cannot do', () =>
    says(
      `
  - parallel:
      - send: { from: a, to: cabin.master, count: 2 }
      - send: { from: a, to: b }
      - fault: { kill: cabin.master }
  - a -> cabin.master: "x"`,
      ['cabin.master@a | ECONNREFUSED ×2', 'b', 'ECONNREFUSED'],
    ));

  it('know each state in which a step may end, in any order', () => {
    const list = predicted(
      bus(
        'queueLength: 2',
        `
  - send: { from: m, to: cabin, count: 2 }
  - parallel:
      - send: { from: m, to: m, nonblocking: true }
      - fault: { read: m, count: 1 }
      - send: { from: a, to: m }
  - send: { from: m, to: m, nonblocking: true }`,
      ),
    );
    // Either m's own send came behind a's, found the queue full, and one was read of three; or nothing failed.
    assert.deepEqual(list.slice(1), ['m | EAGAIN', 'm', 'm | EAGAIN']);
  });
});
