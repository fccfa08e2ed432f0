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
const NONE = 'skip: the file sends no message';
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

const onMessageBus = (traffic: string) => `buses: { session: { master: { program: dbus-daemon } } }
clients: { a: { names: [org.example.A] }, b: {}, watcher: { match: ["member='Changed'"] } }
traffic:
  ${traffic}
`;
const SIGNAL = '- signal: { from: a, path: /a, interface: org.example.A, member';

describe('a run on a message bus that delivers nothing', () => {
  const open = /^skip: no message was delivered, and \S+:4 does not say that nobody is to get it/;
  const cases: readonly (readonly [string, string, string | RegExp])[] = [
    ['is skip if the model alone expects nobody', `${SIGNAL}: Other }\n    expect: model`, open],
    ['passes if the file says nobody', `${SIGNAL}: Other }\n    expect: { recipients: [] }`, 'pass'],
    ['passes if a signal comes to somebody', `${SIGNAL}: Changed }`, 'pass'],
    ['is skip if all it does is to add a rule', `- add-match: { client: b, rule: "type='signal'" }`, NONE],
    ['is skip if all it does is to kill a client', '- fault: { kill: b }', NONE],
    ['passes if a call is answered', '- call: { from: b, to: a, path: /a, member: Echo }', 'pass'],
    ['passes if a name is asked for', '- own: { client: b, name: org.example.B }', 'pass'],
    [
      'passes if a service is asked for',
      '- start: { client: b, name: org.example.B }\n    expect: { error: org.freedesktop.DBus.Error.ServiceUnknown }',
      'pass',
    ],
    ['passes if a client hears of its name', '- expect: { client: b, hears: ["NameAcquired b"] }', 'pass'],
  ];
  for (const [title, source, expected] of cases) {
    it(title, async () => {
      const result = await resultOf(onMessageBus(source));
      if (typeof expected === 'string') assert.equal(result, expected);
      else assert.match(result, expected);
    });
  }
});
