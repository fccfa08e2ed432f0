// SPDX-License-Identifier: MIT
// What the model expects of sends that come one after another.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { bus, messagesOf, predicted } from './predicted.ts';

const says = (traffic: string, expected: readonly string[], settings = '', others = '') =>
  assert.deepEqual(predicted(bus(settings, traffic, others)), expected);

describe('predictions, in order', () => {
  it('follow routes, joins, addresses and ends', () =>
    says(
      `
  - a -> b: "x"
  - a -> g: "x"
  - a -> cabin: "x"
  - a -> c: "x"
  - c -> a: "x"
  - cabin.master -> c: "x"
  - fault: { join: c }
  - b -> g: "x"
  - fault: { expel: b }
  - a -> g: "x"
  - b -> a: "x"
  - fault: { leave: cabin.master }
  - a -> 0009/000000000001: "x"
  - a -> c: "x"`,
      [
        'b',
        'a b',
        'a b m',
        'cabin.master@a',
        'EHOSTUNREACH',
        'c',
        'a b c',
        'a c',
        'EPIPE',
        'ECONNREFUSED',
        'c',
      ],
    ));

  it('give eavesdroppers their copies', () =>
    says(
      '  - a -> b: "x"\n  - w -> g: "x"\n  - a -> cabin.master: "x"\n  - c -> cabin.master: "x"\n  - cabin.master -> c: "x"',
      ['b w', 'a b w', 'cabin.master@a w', 'cabin.master@c', 'c'],
      '',
      ', w: { eavesdrop: true }',
    ));

  it('know how many messages an unread queue holds', () =>
    says(
      `
  - send: { from: a, to: m, count: 5, nonblocking: true }
  - fault: { read: m, count: 2 }
  - send: { from: a, to: m, count: 3, nonblocking: true }
  - send: { from: m, to: a, nonblocking: true }
  - fault: { read: m }
  - send: { from: m, to: a, nonblocking: true }`,
      ['m ×3', 'EAGAIN ×2', 'm ×2', 'EAGAIN ×2', 'a'],
      'queueLength: 2',
    ));

  it('allow either outcome if a reader may be quick or slow', () =>
    says(
      '  - send: { from: a, to: b, count: 5, nonblocking: true }',
      ['b ×3', 'b | EAGAIN ×2'],
      'queueLength: 2',
    ));

  it('do not depend on the speed of readers if senders wait', () =>
    says('  - send: { from: a, to: b, count: 5 }', ['b ×5'], 'queueLength: 2'));

  it('fail what overflows on a bus that fails', () =>
    says(
      '  - send: { from: a, to: m, count: 4 }\n  - send: { from: a, to: b, count: 4 }',
      ['m ×3', 'ENOBUFS', 'b ×3', 'b | ENOBUFS'],
      'queueLength: 2, overflow: fail',
    ));

  it('evict a client that does not read, and know that it is gone', () =>
    says(
      `
  - fault: { add-address: m, address: "0001/000000000009" }
  - send: { from: a, to: m, count: 3 }
  - b -> g: "x"
  - b -> m: "x"
  - m -> b: "x"
  - m -> b: "x"`,
      ['m ×3', 'a b', 'cabin.master@b', 'EPIPE | ENOBUFS', 'EPIPE'].map((text) =>
        text.split(' | ').toSorted().join(' | '),
      ),
      'queueLength: 2, overflow: evict',
    ));

  it('go on in both states if a reader may have been evicted', () =>
    says(
      '  - send: { from: a, to: b, count: 4 }\n  - a -> g: "x"\n  - b -> a: "x"',
      ['b ×3', 'b? cabin.master@a?', 'a b?', 'a | ENOBUFS | EPIPE'],
      'queueLength: 2, overflow: evict',
    ));

  it('give up if too many clients may have been evicted', () => {
    const list = predicted(`
buses: { cabin: { queueLength: 1, overflow: evict } }
groups: { g: { prefix: 1 } }
clients: { a: {}, b: { replicas: 7, groups: [g] } }
traffic:
  - send: { from: a, to: g, count: 2 }
  - send: { from: a, to: g, count: 3 }
  - send: { from: a, to: g, count: 3 }
  - send: { from: a, to: g, count: 3 }
  - a -> b-0: "x"`);
    const all = Array.from({ length: 7 }, (_, n) => `b-${n}`).join(' ');
    assert.equal(list[0], `${all} ×4`);
    assert.match(list.at(-1) ?? '', /^a\? b-0\? .*EAGAIN.*EPIPE/);
  });

  it('count what paused clients leave unread', () =>
    says(
      `
  - fault: { pause: b }
  - send: { from: a, to: b, count: 4, nonblocking: true }
  - fault: { resume: b }
  - send: { from: a, to: b, nonblocking: true }`,
      ['b ×3', 'EAGAIN', 'b'],
      'queueLength: 2',
    ));

  it('know how much an unread queue holds, and when it has room again', () =>
    says(
      `
  - send: { from: a, to: m, count: 40, size: 4KiB, nonblocking: true }
  - fault: { read: m, count: 5 }
  - send: { from: b, to: m, nonblocking: true }
  - fault: { read: m, count: 1 }
  - send: { from: b, to: m, nonblocking: true }`,
      ['m ×7', 'EAGAIN ×34', 'm'],
      'queueLength: 50, sendBuffer: 64KiB',
    ));

  it('fill a queue by weight, if that limit is reached first', () =>
    says(
      `
  - fault: { fill: m }
  - send: { from: a, to: m, nonblocking: true }`,
      ['m ×6', 'EAGAIN'],
      'queueLength: 100, sendBuffer: 8KiB',
    ));

  it('know when a send buffer is used up, which is that of one socket alone', () => {
    const list = predicted(
      bus(
        'sendBuffer: 6KiB',
        `
  - send: { from: a, to: m, count: 5, nonblocking: true }
  - send: { from: a, to: n, count: 5, nonblocking: true }
  - send: { from: a, to: b, nonblocking: true }
  - send: { from: b, to: a, nonblocking: true }
  - fault: { expel: m }
  - send: { from: a, to: b, nonblocking: true }`,
        ', n: { receive: manual }',
      ),
    );
    assert.deepEqual(list, ['m ×4', 'EAGAIN', 'n ×4', 'EAGAIN ×2', 'a', 'b']);
  });

  it('tell a sender that reads its own copies from one that does not', () =>
    says(
      '  - send: { from: a, to: g, count: 3, nonblocking: true }',
      ['a b ×2', 'a b | EAGAIN | ENOBUFS'],
      'queueLength: 1, overflow: fail',
    ));

  it('send messages for an evicted client to the master, whose queue is limited as well', () =>
    says(
      '  - send: { from: a, to: m, count: 6, nonblocking: true }',
      ['m ×2', 'nobody', 'cabin.master@a ×2', 'cabin.master@a? m? | EAGAIN'],
      'queueLength: 1, overflow: evict',
    ));

  it('say why, with the section', () => {
    const [first, second] = messagesOf(bus('', '  - a -> g: "x"\n  - c -> a: "x"'));
    assert.match(first?.expected.because ?? '', /section 3\.4/);
    assert.match(second?.expected.because ?? '', /section 3\.2/);
  });

  it('are overruled by what the file says', () => {
    const [only] = messagesOf(bus('', '  - a -> b: "x"\n    expect: { recipients: [a, b] }'));
    const contradictedBy = '"a" gets no copy, only b: a joined client holds the address (section 3.3)';
    assert.deepEqual(only?.expected, { kind: 'delivered', lanes: ['a', 'b'], contradictedBy });
  });
});
