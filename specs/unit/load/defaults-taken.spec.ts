// SPDX-License-Identifier: MIT
// Defaults are for many: one that somebody takes, in any combination, is not called unused.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { complaints } from './helpers.ts';

const sending = (head: string, count: string) => `${head}
defaults: { sends: { rate: 1000/s } }
buses: { cabin: {} }
clients: { a: {}, b: {} }
traffic:
  - send: { from: a, to: b, count: ${count} }
`;
const NOBODY = 'warning: no send of several messages takes this default';

describe('a default that not everybody takes', () => {
  it('is used if one combination of the matrix uses it', () => {
    assert.deepEqual(complaints(sending('matrix: { n: [1, 3] }', '"${n}"')), []);
    assert.deepEqual(complaints(sending('matrix: { n: [1, 3] }', '1, payload: "${n}"')), [`2 ${NOBODY}`]);
  });

  it('is used if a variable decides', () => {
    assert.deepEqual(complaints(sending('', '"${N:-1}"')), []);
    assert.deepEqual(complaints(sending('', '1')), [`2 ${NOBODY}`]);
  });

  it('is a rate that an anchor gives to several sends', () => {
    const sends = (second: string) => `
x-slow: &slow { rate: 1000/s }
buses: { cabin: {} }
clients: { a: {}, b: {} }
traffic:
  - send: { <<: *slow, from: a, to: b }
  - send: { <<: *slow, from: a, to: b, count: 3 }${second}
`;
    assert.deepEqual(complaints(sends('')), []);
    assert.deepEqual(complaints(sends('\n  - send: { from: a, to: b, rate: 9/s }')), [
      '8 warning: this rate has no effect: the send has one message',
    ]);
  });

  it('is a limit that one bus shows for all', () => {
    const buses = (services: string) => `
defaults: { buses: { master: { program: dbus-daemon, limits: { service_start_timeout: 2s } } } }
buses: { one: { master: { services: ${services} } }, two: {} }
clients: { p: { bus: one, names: [org.a.B] }, q: { bus: one }, u: { bus: two }, v: { bus: two } }
traffic:
  - call: { from: q, to: org.a.B, path: /p, member: M }
  - call: { from: u, to: v, path: /p, member: M }
`;
    assert.deepEqual(complaints(buses('{ org.a.B: p }')), []);
    assert.deepEqual(complaints(buses('{}')), [
      '2 warning: nothing shows this limit: bus "one" starts no services',
      '2 warning: nothing shows this limit: bus "two" starts no services',
    ]);
  });
});
