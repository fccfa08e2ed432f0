// SPDX-License-Identifier: MIT
// Values of every type come through a message bus as they were sent, however a file writes them; others are told apart.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { argsText } from '../../../runner/topology/message-bus.ts';
import { complaints, playText } from '../sim/play.ts';

const VALUES: Readonly<Record<string, string>> = {
  'a{sv}': '{ a: { u: 7 }, b: { s: x } }',
  '(ix)': '[1, "-9007199254740993"]',
  v: '{ as: [x] }',
  d: '.nan',
  t: '"18446744073709551615"',
  ay: '[1, 2]',
  aay: '[[1, 2], { hex: "00ff" }]',
  o: '/o',
  g: 'ii',
  b: 'true',
};

describe('values on a message bus', () => {
  for (const [signature, value] of Object.entries(VALUES)) {
    it(`come back as ${signature}`, async () => {
      const { verdict } = await playText(
        `buses: { session: { master: { program: dbus-daemon } } }
clients: { a: {}, b: {} }
traffic:
  - call: { from: a, to: b, path: /a, member: Echo, signature: "${signature}", args: [${value}] }
    expect: { reply: [${value}], signature: "${signature}" }
`,
        { seed: 1 },
      );
      assert.deepEqual(complaints(verdict), []);
      assert.equal(verdict.result, 'pass');
    });
  }

  it('have one text each, which differs for different values', () => {
    const text = (type: string, value: unknown) => argsText([{ type, value } as never]);
    assert.equal(text('ay', [1, 2]), text('ay', Uint8Array.of(1, 2)));
    const doubles = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1.5];
    assert.equal(new Set(doubles.map((value) => text('d', value))).size, doubles.length);
  });
});
