// SPDX-License-Identifier: MIT
// Which faults a run can show the effect of: the others get a warning.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { complaints } from './helpers.ts';

const file = (...steps: readonly string[]): string =>
  ['buses: { car: {} }', 'clients: { a: {}, b: {}, c: {} }', 'traffic:', '- a -> b: "before"', ...steps].join(
    '\n',
  );
const PAUSE = '- fault: { pause: car.master }';
const RESUME = '- fault: { resume: car.master }';
const STOP = '- fault: { stop-reading: c }';
const READ = '- fault: { read: c }';
const EXPEL = '- fault: { expel: c }';
const hangupOf = (client: string) => `- expect: { client: ${client}, hangup: true }`;
const send = (to: string) => `- a -> ${to}: "x"`;

describe('a fault', () => {
  const SHOWN: Readonly<Record<string, readonly string[]>> = {
    'clients talk while their master is paused': [PAUSE, send('b'), RESUME],
    'a client notices its end without reading': [STOP, EXPEL, hangupOf('c')],
    'it does so beside the fault': [
      '- parallel:',
      ...[hangupOf('c'), STOP, EXPEL].map((step) => `  ${step}`),
    ],
  };
  for (const [what, steps] of Object.entries(SHOWN))
    it(`has an effect if ${what}`, () => assert.deepEqual(complaints(file(...steps)), []));

  const VACUOUS: Readonly<Record<string, readonly [said: string, ...steps: readonly string[]]>> = {
    'nobody talks while the master is paused': [
      'on bus "car" is sent before it is undone',
      PAUSE,
      RESUME,
      send('b'),
    ],
    'the end of another client is noticed': [
      'that reaches "c" comes after it',
      STOP,
      '- fault: { expel: b }',
      hangupOf('b'),
    ],
    'nobody looks whether its end is noticed': ['that reaches "c" comes after it', STOP, EXPEL],
    'the client reads again before its end': [
      'that reaches "c" is sent before it is undone',
      STOP,
      READ,
      EXPEL,
      hangupOf('c'),
    ],
  };
  for (const [what, [said, ...steps]] of Object.entries(VACUOUS))
    it(`has none if ${what}`, () => {
      assert.deepEqual(complaints(file(...steps)), [
        `5 warning: this fault has no effect: no message ${said}`,
      ]);
    });
});
