// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ENVELOPE_SIZE } from '../../../runner/common/envelope.ts';
import { load } from '../../../runner/load/index.ts';
import { type Plan, plan } from '../../../runner/plan/index.ts';

function planned(source: string, seed = 7): Plan {
  const { topology, diagnostics } = load('spec.topo.yaml', { source });
  assert.ok(topology !== undefined, JSON.stringify(diagnostics));
  return plan(topology, { seed });
}

const FILE = `
buses: { cabin: {}, engine: {} }
groups: { g: { bus: cabin, prefix: 1 } }
clients:
  a: { bus: cabin, user: "1:2" }
  b: { bus: cabin, groups: [g] }
  c: { bus: engine }
traffic:
  - a -> b: "hello"
    expect: { recipients: [b] }
  - parallel:
      - send: { from: a, to: g, count: 3, size: 64..256B, as: burst }
        expect: { recipients: [b] }
      - - send: { from: b, to: cabin.master, fds: [{ pipe: p }, { pipe: q }] }
          expect: { recipients: [cabin.master] }
        - b -> 0009/000000000001: "lost"
          expect: { recipients: [cabin.master] }
  - cabin.master -> cabin.master: "note to self"
    expect: { recipients: [cabin.master] }
  - send: { from: cabin.master, to: g, via: b }
    expect: { recipients: [g] }
  - a -> b: ""
    expect: { error: EAGAIN }
`;

describe('plan', () => {
  it('has a process for each master and client, masters first', () => {
    const { agents } = planned(FILE);
    assert.deepEqual(
      agents.map(({ name, node, role, bus, user }) => [name, node, role, bus, user.uid]),
      [
        ['cabin.master', 'cabin-master', 'master', 'cabin', 0],
        ['engine.master', 'engine-master', 'master', 'engine', 0],
        ['a', 'clients', 'client', 'cabin', 1],
        ['b', 'clients', 'client', 'cabin', 0],
        ['c', 'clients', 'client', 'engine', 0],
      ],
    );
  });

  it('numbers messages in file order, each send’s consecutively', () => {
    const { messages, messagesOf } = planned(FILE);
    assert.deepEqual(
      messages.map((message) => message.number),
      messages.map((_, n) => n),
    );
    assert.deepEqual(
      messages.map((message) => `${message.step} ${message.name}`),
      [
        '1 a#1',
        '2.b1.1 burst#1',
        '2.b1.1 burst#2',
        '2.b1.1 burst#3',
        '2.b2.1 b#1',
        '2.b2.2 b#2',
        '3 cabin.master#1',
        '4 cabin.master#2',
        '5 a#5',
      ],
    );
    assert.deepEqual(messagesOf.get('2.b1.1'), { first: 1, count: 3 });
  });

  it('names lanes: those of clients by client, those of the master by sender', () => {
    const lanes = planned(FILE).messages.map(({ expected }) =>
      expected.kind === 'delivered' ? expected.lanes.join(' ') : expected.errno,
    );
    assert.deepEqual(lanes, [
      'b',
      'b',
      'b',
      'b',
      'cabin.master@b',
      'cabin.master@b',
      'cabin.master@a',
      'b',
      'EAGAIN',
    ]);
  });

  it('draws lengths from the seed, and counts the envelope', () => {
    const one = planned(FILE).messages;
    assert.equal(one[0]?.length, ENVELOPE_SIZE + 5);
    assert.equal(one.at(-1)?.length, ENVELOPE_SIZE);
    const drawn = one.slice(1, 4).map((message) => message.length);
    assert.ok(drawn.every((length) => length >= 64 && length <= 256));
    assert.deepEqual(planned(FILE).messages, one);
    assert.notDeepEqual(
      planned(FILE, 8).messages.map((message) => message.length),
      one.map((message) => message.length),
    );
    assert.equal(one[4]?.fds, 2);
  });
});
