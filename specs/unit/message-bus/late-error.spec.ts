// SPDX-License-Identifier: MIT
// Signals that start a service: if it fails late, the run waits for each error, beside other steps and by itself.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { complaints, playText } from '../sim/play.ts';

const LATE = `signal: { from: panel, to: org.example.Player, path: /p, interface: a.b, member: Wake, count: 2 }
    expect: { error: org.freedesktop.DBus.Error.TimedOut }`;
const ECHO = 'call: { from: x, to: panel, path: /p, member: Echo }';

const SERVICES: Readonly<Record<string, string>> = {
  'a program that ends': '{ exit: 0 }',
  'a client without the name': 'player',
};
const STEPS: Readonly<Record<string, string>> = {
  alone: `- ${LATE}`,
  'in parallel': `- parallel:\n    - ${LATE.replaceAll('\n', '\n  ')}\n    - ${ECHO}`,
};

describe('a signal that starts a service which fails late', () => {
  for (const [service, written] of Object.entries(SERVICES))
    for (const [where, steps] of Object.entries(STEPS))
      it(`is answered by an error, ${where}, for ${service}`, async () => {
        const { verdict } = await playText(
          `buses: { session: { master: { program: dbus-daemon, services: { org.example.Player: ${written} } } } }
clients: { panel: {}, x: {}, player: {} }
traffic:
  ${steps}
  - ${ECHO}
`,
          { seed: 1 },
        );
        assert.deepEqual(complaints(verdict), []);
        assert.equal(verdict.result, 'pass');
      });
});
