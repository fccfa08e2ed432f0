// SPDX-License-Identifier: MIT
// What the model expects on a bus that speaks D-Bus.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { datagramsOf, plan } from '../../../runner/plan/index.ts';
import { notLinearizable, predict, TOO_MANY_PLACES } from '../../../runner/predict/index.ts';
import { messagesOf, predicted, topologyOf } from './predicted.ts';

const file = (traffic: string, settings = ''): string => `
buses: { session: { protocol: dbus${settings} } }
groups: { g: { prefix: 1 } }
clients:
  a: {}
  b: { groups: [g], match: ["member='X'"] }
  c: { groups: [g], match: ["member='Y'", "arg0='x'"] }
  d: { groups: [g] }
  w: { eavesdrop: true, match: ["member='Y'"] }
traffic:
${traffic}`;

const signal = (member: string, more = ''): string =>
  `payload: { dbus: { path: /p, interface: a.P, member: ${member}${more} } }`;
const X = `send: { from: a, to: session, ${signal('X')} }`;
const says = (traffic: string, expected: readonly string[], settings = '') =>
  assert.deepEqual(predicted(file(traffic, settings)), expected);

describe('predictions on a bus of D-Bus', () => {
  it('know by rules which clients get a multicast', () =>
    says(
      `
  - ${X}
  - send: { from: a, to: session, ${signal('Y')} }
  - send: { from: a, to: session, ${signal('X', ', args: [x], endian: big')} }
  - send: { from: a, to: g, ${signal('Y')} }
  - send: { from: session.master, to: session, ${signal('Z')} }
  - send: { from: a, to: session, count: 3 }
  - send: { from: a, to: session, payload: "x" }
  - send: { from: a, to: d, payload: "x" }
  - send: { from: a, to: d, ${signal('X')} }
  - send: { from: a, to: session.master }
  - send: { from: a, to: session.master, ${signal('X')} }`,
      ['b', 'c w', 'b c', 'c w', 'nobody ×5', 'd', 'd w', 'session.master@a', 'session.master@a w'],
    ));

  it('say by which rule', () => {
    const [x, raw] = messagesOf(file(`  - ${X}\n  - a -> session: "x"`));
    assert.match(x?.expected.because ?? '', /only if one of its match rules matches \(dbus\.md section 3\)/);
    assert.match(raw?.expected.because ?? '', /no D-Bus message/);
  });

  it('follow rules that come and go, and those of a client that starts again', () =>
    says(
      `
  - fault: { add-match: d, rule: "type='signal'" }
  - ${X}
  - fault: { remove-match: d, rule: "type=signal" }
  - ${X}
  - fault: { remove-match: b, rule: "member=X", for: 1ms }
  - ${X}
  - fault: { add-match: b, rule: "member=X" }
  - fault: { restart: b }
  - fault: { remove-match: b, rule: "member=X" }
  - ${X}`,
      ['b d', 'b ×2', 'nobody'],
    ));

  it('know the owner of a name, also when it starts again', () =>
    assert.deepEqual(
      predicted(`
buses: { session: { protocol: dbus } }
clients:
  a: { names: [org.example.A] }
  b: { names: [org.example.B] }
  c: { match: ["sender='org.example.A'"] }
  d: { match: ["sender=':0.1'"] }
traffic:
  - ${X}
  - send: { from: b, to: session, ${signal('X')} }
  - fault: { restart: a }
  - ${X}`),
      ['c d', 'nobody', 'c'],
    ));

  it('allow what a rule in another branch may have done, or not yet', () =>
    says(
      `
  - parallel:
      - send: { from: a, to: session, count: 3, ${signal('X')} }
      - - fault: { add-match: d, rule: "member='X'" }
        - ${X}
        - fault: { remove-match: b, rule: "member='X'" }
  - ${X}`,
      ['b? d? ×3', 'b d', 'd'],
    ));

  it('distinguish states that differ in rules alone', () =>
    says(
      `
  - parallel:
      - fault: { add-match: d, rule: "member='X'" }
      - fault: { remove-match: d, rule: "member='X'" }
  - ${X}`,
      ['b d?'],
    ));

  it('do not let clients without a matching rule hold up a sender', () =>
    says(
      `
  - fault: { stop-reading: d }
  - send: { from: session.master, to: d, count: 2 }
  - send: { from: a, to: session, count: 9, ${signal('X')} }
  - fault: { add-match: d, rule: "member='X'" }
  - send: { from: a, to: session, nonblocking: true, ${signal('X')} }`,
      ['d ×2', 'b ×9', 'EAGAIN'],
      ', queueLength: 1',
    ));
});

describe('linearize, on a bus of D-Bus', () => {
  const RULES = `
  - parallel:
      - send: { from: a, to: session, count: 9, ${signal('X')} }
      - fault: { add-match: d, rule: "member='X'" }`;

  /** Index of the first message that nothing explains. */
  const first = (lanes: readonly string[]): number | undefined => {
    const topology = topologyOf(file(RULES));
    const datagrams = datagramsOf(plan(topology, { seed: 1 }));
    const [step] = topology.steps;
    assert.ok(step?.kind === 'parallel');
    const [state] = predict(topology, datagrams).before(step.id);
    assert.ok(state);
    const never = () => false;
    const seen = lanes.map((text, n) => ({
      ...{ step: '1.b1.1', n, seq: n + 1, after: never, before: never },
      lanes: new Set(text.split(' ')),
    }));
    const found = notLinearizable(
      state,
      step,
      'session',
      { seen, unplaced: [] },
      { unsure: never, evictable: never },
      datagrams,
    );
    assert.ok(found !== TOO_MANY_PLACES);
    return found?.message.n;
  };

  it('gives a rule one place in the sequence', () => {
    assert.equal(first(['b', 'b', 'b d', 'b d']), undefined);
    assert.equal(first(['b', 'b d', 'b', 'b d']), 2);
  });
});
