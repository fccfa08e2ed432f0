// SPDX-License-Identifier: MIT
// A run in which no message is delivered passes only if the file says that nobody is to get any.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { playText } from './play.ts';

const file = (traffic: string, bus = '') => `buses: { cabin: { ${bus} } }
groups: { g: { prefix: 1 } }
clients: { a: {}, b: {}, dropping: { filter: { drop: true } } }
traffic:
  ${traffic}
`;
const NOBODY_ADMITTED = 'master: { admit: [] }';

async function resultOf(source: string): Promise<string> {
  const { verdict } = await playText(source, { seed: 1 });
  return verdict.reason === undefined ? verdict.result : `${verdict.result}: ${verdict.reason}`;
}

describe('a run that delivers nothing', () => {
  const open = /^skip: no message was delivered, and \S+:5 does not say that nobody is to get it/;
  const cases: readonly (readonly [string, string, string | RegExp])[] = [
    ['is skip if the model alone expects nobody', file('- a -> g: "x"\n    expect: model'), open],
    ['passes if the file says nobody', file('- a -> g: "x"\n    expect: { recipients: [] }'), 'pass'],
    [
      'passes if the file says that the send fails',
      file('- a -> b: "x"\n    expect: { error: EHOSTUNREACH }', NOBODY_ADMITTED),
      'pass',
    ],
    [
      'is skip if the model alone expects an error',
      file('- a -> b: "x"\n    expect: model', NOBODY_ADMITTED),
      open,
    ],
    ['is skip if filters drop every copy', file('- a -> dropping: "x"'), open],
    [
      'is skip without sends, whatever else the file does',
      file('- fault: { kill: b }'),
      'skip: the file sends no message',
    ],
    ['passes if the master gets what is sent', file('- a -> cabin.master: "x"'), 'pass'],
  ];
  for (const [title, source, expected] of cases) {
    it(title, async () => {
      const result = await resultOf(source);
      if (typeof expected === 'string') assert.equal(result, expected);
      else assert.match(result, expected);
    });
  }
});
