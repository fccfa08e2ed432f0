// SPDX-License-Identifier: MIT
// Changes have places in the one sequence: what was seen of many messages goes with them together, or it does not.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { datagramsOf, plan } from '../../../runner/plan/index.ts';
import { notLinearizable, predict, TOO_MANY_PLACES, type Witnessed } from '../../../runner/predict/index.ts';
import { bus, topologyOf } from './predicted.ts';

interface Seen {
  readonly step: string;
  readonly lanes: string;
  /** Its number in the sequence is not known. */
  readonly unplaced?: true;
  /** Faults that were over before it began, and those that began after it ended. */
  readonly after?: readonly string[];
  readonly before?: readonly string[];
}

/** The number of the first message that nothing explains, in the order given; and who might have got it instead. */
function verdict(traffic: string, seen: readonly Seen[], settings = '', unsure: readonly string[] = []) {
  const topology = topologyOf(bus(settings, traffic, ', w: { eavesdrop: true }'));
  const datagrams = datagramsOf(plan(topology, { seed: 1 }));
  const [step] = topology.steps;
  assert.ok(step?.kind === 'parallel');
  const [state] = predict(topology, datagrams).before(step.id);
  assert.ok(state);
  const counts = new Map<string, number>();
  const observed = seen.map(({ step: id, lanes, after = [], before = [] }, index) => {
    const n = counts.get(id) ?? 0;
    counts.set(id, n + 1);
    const words = { step: id, n, seq: index + 1, lanes: new Set(lanes.split(' ').filter(Boolean)) };
    return {
      ...words,
      after: (fault: string) => after.includes(fault),
      before: (fault: string) => before.includes(fault),
    };
  });
  const unplaced = observed.filter((_, n) => seen[n]?.unplaced);
  const placed: Witnessed[] = observed.filter((_, n) => !seen[n]?.unplaced);
  const found = notLinearizable(
    state,
    step,
    'cabin',
    { seen: placed, unplaced },
    { unsure: (lane) => unsure.includes(lane), evictable: () => true },
    datagrams,
  );
  assert.ok(found !== TOO_MANY_PLACES);
  return (
    found && [
      1 + observed.findIndex(({ step: id, n }) => id === found.message.step && n === found.message.n),
      ...found.instead.map((lanes) => lanes.join(' ')),
    ]
  );
}

const JOIN = `
  - parallel:
      - send: { from: a, to: g, count: 9 }
      - - b -> g: "before"
        - fault: { join: c }
        - b -> g: "after"`;
const A = '1.b1.1';
const BEFORE = '1.b2.1';
const JOINS = '1.b2.2';
const AFTER = '1.b2.3';

describe('linearize', () => {
  it('explains a change that comes between any two messages', () => {
    assert.equal(
      verdict(
        JOIN,
        [A, A, A].map((step) => ({ step, lanes: 'a b w' })),
      ),
      undefined,
    );
    assert.equal(
      verdict(
        JOIN,
        [A, A, A].map((step) => ({ step, lanes: 'a b c w' })),
      ),
      undefined,
    );
    assert.equal(
      verdict(JOIN, [
        { step: A, lanes: 'a b w' },
        { step: A, lanes: 'a b c w' },
      ]),
      undefined,
    );
  });

  it('finds a change that is taken back', () => {
    const seen = ['a b w', 'a b c w', 'a b w'].map((lanes) => ({ step: A, lanes }));
    assert.deepEqual(verdict(JOIN, seen), [3, 'a b c']);
  });

  it('keeps the order within a branch', () => {
    assert.deepEqual(verdict(JOIN, [{ step: BEFORE, lanes: 'a b c w' }]), [1, 'a b']);
    assert.deepEqual(verdict(JOIN, [{ step: AFTER, lanes: 'a b w' }]), [1, 'a b c']);
    const seen = [
      { step: AFTER, lanes: 'a b c w' },
      { step: A, lanes: 'a b w' },
    ];
    assert.deepEqual(verdict(JOIN, seen), [2, 'a b c']);
  });

  it('keeps the real-time order of changes', () => {
    assert.deepEqual(verdict(JOIN, [{ step: A, lanes: 'a b w', after: [JOINS] }]), [1, 'a b c']);
    assert.deepEqual(verdict(JOIN, [{ step: A, lanes: 'a b c w', before: [JOINS] }]), [1, 'a b']);
  });

  it('finds a client that is no recipient in any order', () =>
    assert.deepEqual(verdict(JOIN, [{ step: A, lanes: 'a b m w' }]), [1, 'a b', 'a b c']));

  it('does not require copies that may be unread, nor those of eavesdroppers', () => {
    assert.equal(verdict(JOIN, [{ step: A, lanes: 'a' }], '', ['b']), undefined);
    assert.deepEqual(verdict(JOIN, [{ step: A, lanes: 'b w' }]), [1, 'a b', 'a b c']);
  });

  it('keeps two changes of one branch in their order', () => {
    const moves = `
  - parallel:
      - send: { from: m, to: 0002/000000000001, count: 9 }
      - - fault: { add-address: a, address: "0002/000000000001" }
        - fault: { del-address: a, address: "0002/000000000001" }
        - fault: { add-address: b, address: "0002/000000000001" }`;
    const seen = (...lanes: string[]) => lanes.map((lane) => ({ step: A, lanes: lane }));
    const master = 'cabin.master@m';
    assert.equal(verdict(moves, seen(master, 'a', master, 'b')), undefined);
    assert.equal(verdict(moves, seen(master, 'b')), undefined);
    assert.deepEqual(verdict(moves, seen('b', 'a')), [2, 'b']);
    assert.deepEqual(verdict(moves, seen('a', 'b', master)), [3, 'b']);
  });

  it('allows an eviction once', () => {
    const sends =
      '\n  - parallel:\n      - send: { from: a, to: g, count: 9 }\n      - send: { from: b, to: a }';
    const seen = (...lanes: string[]) => lanes.map((lane) => ({ step: A, lanes: lane }));
    const settings = 'overflow: evict, queueLength: 1';
    assert.equal(verdict(sends, seen('a b', 'a', 'a'), settings), undefined);
    assert.deepEqual(verdict(sends, seen('a b', 'a', 'a b'), settings)?.[0], 3);
  });

  const group = (fault: string) => `
  - parallel:
      - send: { from: m, to: 0002/000000000001, count: 9 }
      - fault: ${fault}`;
  const row = (...lanes: string[]): Seen[] =>
    lanes.map((text) => (text === '' ? { step: A, lanes: '', unplaced: true } : { step: A, lanes: text }));

  it('finds a message without copies that somebody must get in every order', () => {
    const moves = group('{ add-address: a, address: "0002/000000000001" }');
    assert.equal(verdict(moves, row('cabin.master@m', 'cabin.master@m', 'a', 'a')), undefined);
    assert.deepEqual(verdict(moves, row('cabin.master@m', '', 'a')), [2, 'cabin.master@m', 'a']);
    assert.deepEqual(verdict(moves, row('cabin.master@m', 'a', '')), [3, 'a']);
    assert.deepEqual(verdict(moves, row('')), [1, 'cabin.master@m', 'a']);
  });

  it('accepts a message without copies if its place can be one without recipients', () => {
    const joins = group('{ add-address: b, address: "0002/000000000001" }').replace(
      'to: 0002/000000000001',
      'to: 0002/ffffffffffff',
    );
    assert.equal(verdict(joins, row('', '')), undefined);
    assert.equal(verdict(joins, row('', 'b', 'b')), undefined);
    assert.deepEqual(verdict(joins, row('', 'b', '', 'b')), [3, 'b']);
    assert.deepEqual(verdict(joins, row('', 'b', '')), [3, 'b']);
    const [first, second] = row('', '');
    assert.ok(first && second);
    assert.deepEqual(verdict(joins, [first, { ...second, after: ['1.b2.1'] }]), [2, 'b']);
  });
});
