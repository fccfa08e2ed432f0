// SPDX-License-Identifier: MIT
// What a file says of D-Bus, and what it comes to.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { FaultAction } from '../../../runner/topology/faults.ts';
import type { Step } from '../../../runner/topology/topology.ts';
import { complaints, ok } from './helpers.ts';

const file = (traffic: string): string => `
buses: { session: { protocol: dbus } }
clients:
  a: { match: ["type='signal',member=X", "path='/p'"] }
  b: { match: [] }
traffic:
${traffic}`;

const actions = (steps: readonly Step[]): FaultAction[] =>
  steps.flatMap((step) => {
    if (step.kind === 'parallel') return step.branches.flatMap(actions);
    return step.kind === 'fault' ? [step.action] : [];
  });

describe('D-Bus in a file', () => {
  it('is a protocol of a bus, and rules of clients as they are written', () => {
    const { buses, clients } = ok(file('  - a -> b: "x"'));
    assert.equal(buses[0]?.protocol, 'dbus');
    assert.deepEqual(clients[0]?.match, ["type='signal',member=X", "path='/p'"]);
    assert.equal(clients[1]?.match, undefined);
  });

  it('is a message with defaults, and what is written', () => {
    const { steps } = ok(
      file(`
  - send: { from: a, to: session, payload: { dbus: { path: /p, interface: a.B, member: C } } }
  - send:
      from: a
      to: b
      payload:
        dbus: { type: error, error-name: a.E, reply-serial: 3, destination: ":0.2", args: [x, { path: / }, -1], endian: big }`),
    );
    assert.deepEqual(
      steps.map((step) => step.kind === 'send' && [step.dbus, step.payload, step.size]),
      [
        [
          { type: 'signal', endian: 'little', path: '/p', interface: 'a.B', member: 'C', args: [] },
          undefined,
          undefined,
        ],
        [
          {
            type: 'error',
            endian: 'big',
            errorName: 'a.E',
            replySerial: 3,
            destination: ':0.2',
            args: [
              { type: 's', value: 'x' },
              { type: 'o', value: '/' },
              { type: 'i', value: -1 },
            ],
          },
          undefined,
          undefined,
        ],
      ],
    );
  });

  it('is a message whose header says how many descriptors come with it', () => {
    const { steps } = ok(
      file(
        '  - send: { from: a, to: b, fds: [{ pipe: p }, { pipe: q }], payload: { dbus: { path: /p, interface: a.B, member: C } } }',
      ),
    );
    assert.equal(steps[0]?.kind === 'send' && steps[0].dbus?.unixFds, 2);
  });

  it('is rules that come and go, for a while too', () => {
    const { steps } = ok(
      file(`
  - fault: { add-match: b, rule: "member=Y", for: 5ms }
  - fault: { remove-match: a, rule: "member='X',type=signal", for: 5ms }
  - fault: { restart: b }
  - fault: { add-match: b, rule: "member=Z", at: 5ms }`),
    );
    assert.deepEqual(
      actions(steps).filter(({ fault }) => fault.endsWith('match')),
      [
        { fault: 'add-match', client: 'b', rule: 'member=Y' },
        { fault: 'remove-match', client: 'b', rule: 'member=Y' },
        { fault: 'remove-match', client: 'a', rule: "member='X',type=signal" },
        { fault: 'add-match', client: 'a', rule: "member='X',type=signal" },
        { fault: 'add-match', client: 'b.2', rule: 'member=Z' },
      ],
    );
  });

  it('is names with an address each, counted up beside those of groups', () => {
    const { clients } = ok(`
buses: { s: { protocol: dbus } }
groups: { g: { prefix: 2 } }
clients:
  a: { groups: [g], names: [a.A, a.B], addresses: ["0001/000000000002"] }
  b: { names: [a.C] }`);
    assert.deepEqual(
      clients.map(({ names, addresses }) => [names, addresses]),
      [
        [
          ['a.A', 'a.B'],
          ['0002/000000000001', '0001/000000000001', '0001/000000000003', '0001/000000000002'],
        ],
        [['a.C'], ['0001/000000000004']],
      ],
    );
  });

  it('lets a rule be taken as often as it was given in some order of branches, and warns of the others', () => {
    assert.deepEqual(
      complaints(
        file(`
  - fault: { add-match: a, rule: "path='/p'" }
  - fault: { remove-match: a, rule: "path='/p'" }
  - parallel:
      - fault: { remove-match: a, rule: "path='/p'" }
      - - fault: { remove-match: b, rule: "member=Y" }
        - fault: { add-match: b, rule: "member=Y" }
      - fault: { add-match: b, rule: "member=Y" }
  - fault: { remove-match: b, rule: "member=Y" }`),
      ),
      ['10 warning: who goes first decides whether the master can do what it is told here'],
    );
  });

  it('has an end of its size, like any message', () => {
    const args = JSON.stringify(['x'.repeat(2000)]);
    const big = `buses: { s: { protocol: dbus, sendBuffer: 2KiB } }
clients: { a: {}, b: {} }
traffic:
  - send: { from: a, to: b, payload: { dbus: { path: /p, interface: a.B, member: C, args: ${args} } } }`;
    assert.match(
      complaints(big).join(),
      /a message of 2\d\d\d bytes is longer than bus "s"'s send buffer allows/,
    );
    assert.deepEqual(complaints(`${big}\n    expect: { error: EMSGSIZE }`), []);
  });

  it('expects of rules what the model does, and says so', () => {
    const signal = 'payload: { dbus: { path: /p, interface: a.B, member: C } }';
    assert.match(
      complaints(
        file(`  - send: { from: b, to: session, ${signal} }\n    expect: { recipients: [b] }`),
      ).join(),
      /"b" gets no copy, but a: .*match rule.*dbus\.md section 3/,
    );
    assert.match(
      complaints(file(`  - b -> session: "x"\n    expect: { recipients: [a] }`)).join(),
      /"a" gets no copy, but nobody: .*no D-Bus message/,
    );
  });
});
