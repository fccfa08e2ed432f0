// SPDX-License-Identifier: MIT
// The path of a bus is a socket: no other bus is inside it.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { complaints } from './helpers.ts';

const errors = (one: string, two: string): string[] =>
  complaints(`buses:
  one: { path: "${one}" }
  two: { path: "${two}" }
clients: { a: { bus: one }, b: { bus: one }, c: { bus: two }, d: { bus: two } }
traffic:
  - a -> b: x
  - c -> d: x
`).filter((each) => each.includes('error'));

describe('two paths of buses', () => {
  it('are refused if one is inside the other, whichever comes first', () => {
    const said = '3 error: /run/bus/a is the path of a bus, so /run/bus/a/b cannot be inside it';
    assert.deepEqual(errors('/run/bus/a', '/run/bus/a/b'), [said]);
    assert.deepEqual(errors('/run/bus/a/b', '/run/bus/a'), [said]);
  });

  it('may begin alike, and abstract names have no folders', () => {
    assert.deepEqual(errors('/run/bus/a', '/run/bus/ab'), []);
    assert.deepEqual(errors('@a', '@a/b'), []);
  });
});
