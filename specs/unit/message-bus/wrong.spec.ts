// SPDX-License-Identifier: MIT
// What a file says of a message bus, and the bus does not do, fails at its step, with what was expected and what came.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { playText } from '../sim/play.ts';

const HEAD = `
buses: { session: { master: { program: dbus-daemon } } }
clients:
  player: { names: [org.example.Player], answers: { Fail: { error: org.example.Error.Failed } } }
  spare: {}
  panel: { connect: legacy, match: ["interface='org.example.Player'"] }
traffic:
  - `;
const CHANGED = '{ from: player, path: /p, interface: org.example.Player, member: Changed }';

interface Case {
  readonly what: string;
  readonly step: string;
  readonly check: string;
  readonly kind: string;
  readonly expected: string;
  readonly observed: string;
}

const CASES: readonly Case[] = [
  {
    what: 'a signal that more clients are to get',
    step: `{ signal: ${CHANGED}, expect: { recipients: [panel, spare] } }`,
    check: 'dbus.signals',
    kind: 'lost',
    expected: 'panel, spare',
    observed: 'panel',
  },
  {
    what: 'a signal that nobody is to get',
    step: `{ signal: ${CHANGED}, expect: { recipients: [] } }`,
    check: 'dbus.signals',
    kind: 'extra',
    expected: 'nobody',
    observed: 'panel',
  },
  {
    what: 'another reply',
    step: '{ call: { from: panel, to: player, path: /p, member: Echo, args: [1] }, expect: { reply: [2] } }',
    check: 'dbus.replies',
    kind: 'wrong-answer',
    expected: 'the reply i 2',
    observed: 'the reply i 1',
  },
  {
    what: 'a reply in the place of an error',
    step: '{ call: { from: panel, to: player, path: /p, member: Fail }, expect: { reply: [] } }',
    check: 'dbus.replies',
    kind: 'wrong-answer',
    expected: 'the reply ()',
    observed: 'the error org.example.Error.Failed',
  },
  {
    what: 'another client that answers',
    step: '{ call: { from: panel, to: org.example.Player, path: /p, member: Echo }, expect: { by: spare } }',
    check: 'dbus.replies',
    kind: 'wrong-answerer',
    expected: 'an answer of spare',
    observed: 'one of player',
  },
  {
    what: 'another owner of a name',
    step: '{ own: { client: spare, name: org.example.Player }, expect: { result: owner } }',
    check: 'dbus.replies',
    kind: 'wrong-answer',
    expected: 'the reply u 1',
    observed: 'the reply u 2',
  },
  {
    what: 'a change that is not told',
    step: '{ expect: { client: player, hears: ["NameAcquired player"] } }',
    check: 'dbus.names',
    kind: 'told-without-reason',
    expected: 'nothing',
    observed: 'NameAcquired org.example.Player',
  },
  {
    what: 'changes in another order',
    step: '{ expect: { client: player, hears: ["NameAcquired org.example.Player", "NameAcquired player"] } }',
    check: 'dbus.names',
    kind: 'wrong-order',
    expected: 'NameAcquired org.example.Player, then NameAcquired player',
    observed: 'NameAcquired player, then NameAcquired org.example.Player',
  },
];

describe('wrong expectations of message buses', () => {
  for (const { what, step, check, kind, expected, observed } of CASES) {
    it(`${check} fails for ${what}`, async () => {
      const { verdict } = await playText(HEAD + step, { seed: 5 });
      const failures = verdict.checks.flatMap((each) => each.failures);
      assert.deepEqual(
        failures.map((each) => [each.check, each.kind, each.expected, each.observed, each.step]),
        [[check, kind, expected, observed, '1']],
      );
      assert.equal(failures[0]?.place?.line, 7);
      assert.ok(
        verdict.warnings?.some(({ code }) => code === 'impossible'),
        'the model knew better',
      );
    });
  }
});
