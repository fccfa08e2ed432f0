// SPDX-License-Identifier: MIT
// Faults that come to several steps.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Step } from '../../../../runner/topology/topology.ts';
import { ok, steps, withParties } from '../helpers.ts';

const said = (list: readonly Step[]): unknown[] =>
  list.map((step) => {
    if (step.kind === 'fault')
      return { id: step.id, ...step.action, ...(step.at !== undefined && { at: step.at }) };
    if (step.kind === 'parallel') return step.branches.map(said);
    return step.kind;
  });
const client = (name: string) => ({ kind: 'client', name });

describe('faults in time', () => {
  it('come later, and are undone later still', () => {
    assert.deepEqual(said(steps('- fault: { pause: a, at: 5ms, for: 1s }')), [
      { id: '1', fault: 'pause', target: client('a'), at: 5 },
      { id: '1.end', fault: 'resume', target: client('a'), at: 1000 },
    ]);
    const address = '0001/0000000000aa';
    const list = steps(`- fault: { add-address: a, address: "${address}", for: 1s }
  - fault: { stop-reading: a, for: 1s }
  - fault: { eavesdrop: a, for: 1s }
  - fault: { limit: a, fds: 3, for: 1s }`);
    assert.deepEqual(
      list.map((step) => step.kind === 'fault' && step.action.fault),
      ['add-address', 'del-address', 'stop-reading', 'read', 'eavesdrop', 'eavesdrop', 'limit', 'limit'],
    );
  });

  it('of a node come at the same time', () => {
    const { steps: list } = ok(`nodes: { ecu: {}, gateway: {} }
buses: { cabin: { master: { node: gateway } } }
clients: { a: { node: ecu }, b: { node: ecu }, c: { node: gateway }, m: { node: ecu } }
traffic: [fault: { kill: a }, fault: { kill-node: ecu, at: 1ms }]`);
    const [, all] = list;
    assert.ok(all);
    assert.deepEqual(said([all]), [
      ['b', 'm'].map((name, n) => [{ id: `2.b${n + 1}.1`, fault: 'kill', target: client(name), at: 1 }]),
    ]);
  });

  it('of a node pause what runs there, and resume what is paused there', () => {
    const { steps: list } = ok(`nodes: { ecu: {}, gateway: {} }
buses: { cabin: { master: { node: gateway } } }
clients: { a: { node: ecu }, b: { node: ecu }, c: { node: gateway } }
traffic:
  - fault: { pause: a }
  - fault: { pause-node: ecu }
  - fault: { resume: b }
  - fault: { resume-node: ecu }
  - fault: { pause-node: ecu, for: 1ms }`);
    const each = (id: string, fault: string, at: number | undefined, ...names: string[]) =>
      names.map((name, n) => [
        { id: `${id}.b${n + 1}.1`, fault, target: client(name), ...(at === undefined ? {} : { at }) },
      ]);
    const [, paused, , resumed, ...both] = said(list);
    assert.deepEqual(
      [paused, resumed, ...both],
      [
        each('2', 'pause', undefined, 'b'),
        each('4', 'resume', undefined, 'a'),
        each('5', 'pause', undefined, 'a', 'b'),
        each('5.end', 'resume', 1, 'a', 'b'),
      ],
    );
  });

  it('of a node reach each living process when they stand beside other branches', () => {
    const { steps: list } = ok(`nodes: { ecu: {}, gateway: {} }
buses: { cabin: { master: { node: gateway } } }
clients: { a: { node: ecu }, b: { node: ecu }, c: { node: gateway } }
traffic:
  - parallel:
      - - fault: { pause: a }
      - - fault: { pause-node: ecu }`);
    const [step] = list;
    assert.ok(step?.kind === 'parallel');
    const [all] = step.branches[1] ?? [];
    assert.ok(all?.kind === 'parallel');
    assert.equal(all.branches.length, 2);
  });
});

describe('a queue that is filled', () => {
  it('gets one message more than its length, from the master, without waiting', () => {
    const [step] = steps('- fault: { fill: m }');
    assert.ok(step?.kind === 'send');
    assert.deepEqual([step.from, step.to], [{ kind: 'master', bus: 'cabin', via: 'm' }, client('m')]);
    assert.deepEqual([step.count, step.nonblocking, step.expect], [11, true, { model: true }]);
  });
});

describe('a client that starts again', () => {
  const topology = ok(
    withParties(`- a -> b: "1"
  - fault: { restart: b }
  - a -> b: "2"
  - a -> g: "3"
    expect: { recipients: [g] }
  - fault: { kill: b }
  - fault: { restart: b }
  - b -> a: "4"`),
  );

  it('is another client, with all that the file gives the first', () => {
    const [first, second] = topology.clients.filter(({ name }) => name.startsWith('b'));
    assert.deepEqual(
      { ...second, name: 'b', startedByStep: undefined },
      { ...first, startedByStep: undefined },
    );
    assert.deepEqual(
      topology.clients.map(({ name, startedByStep }) => [name, startedByStep ?? false]),
      [...['a', 'b', 'c', 'm'].map((name) => [name, false]), ['b.2', true], ['b.3', true]],
    );
  });

  it('is killed first if it still runs', () => {
    assert.deepEqual(
      topology.steps.map((step) => (step.kind === 'fault' ? `${step.id} ${step.action.fault}` : step.id)),
      ['1', '2.end kill', '2 start', '3', '4', '5 kill', '6 start', '7'],
    );
  });

  it('is what lines of deliveries mean, too', () => {
    const { deliveries } = ok(`${withParties('- fault: { restart: b }')}
  - send: { from: b, to: g, as: x }
expect: { deliveries: [{ to: g, message: x, from: b }] }`);
    assert.deepEqual(
      deliveries.map(({ to, from }) => [to, from]),
      [['b.2', 'b.2']],
    );
  });

  it('is what its name stands for from then on', () => {
    const sends = topology.steps.flatMap((step) => (step.kind === 'send' ? [step] : []));
    assert.deepEqual(
      sends.map(({ from, to }) => [from, to].map((end) => ('name' in end ? end.name : end.kind))),
      [
        ['a', 'b'],
        ['a', 'b.2'],
        ['a', 'g'],
        ['b.3', 'a'],
      ],
    );
    assert.deepEqual(sends[2]?.expect.recipients, ['b.2']);
  });
});
