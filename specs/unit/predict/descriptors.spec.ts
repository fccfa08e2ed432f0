// SPDX-License-Identifier: MIT
// How many descriptors a limited client gets: by the limit when it reads, as exactly as a file tells when that is.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from '../../helpers/drawn.ts';
import { complaints, playText } from '../sim/play.ts';
import { bus, messagesOf } from './predicted.ts';

const THREE = 'fds: [{ pipe: p }, { pipe: q }, { pipe: r }]';

/** Of the last message: `b 1|3` where either is right. */
function got(traffic: string): string {
  const { fdsAt = new Map() } = messagesOf(bus('', traffic)).at(-1) ?? {};
  return [...fdsAt].map(([lane, counts]) => `${lane} ${counts.join('|')}`).join(', ');
}

const CASES: readonly (readonly [what: string, traffic: string, expected: string])[] = [
  [
    'who has no limit gets all',
    `
  - send: { from: a, to: b, ${THREE} }`,
    '',
  ],
  [
    'who has one gets the first',
    `
  - fault: { limit: b, fds: 1 }
  - send: { from: a, to: g, ${THREE} }`,
    'b 1',
  ],
  [
    'a limit that leaves room for all is none',
    `
  - fault: { limit: b, fds: 3 }
  - send: { from: a, to: b, ${THREE} }`,
    '',
  ],
  [
    'one that goes is none any more, and one that comes later none yet',
    `
  - fault: { limit: b, fds: 1, for: 10ms }
  - send: { from: a, to: b, ${THREE} }
  - fault: { limit: b, fds: 2 }`,
    '',
  ],
  [
    'what waits in a queue is read under a later limit',
    `
  - send: { from: a, to: m, ${THREE} }
  - fault: { limit: m, fds: 0 }
  - fault: { limit: m, fds: 2 }
  - fault: { read: m }
  - fault: { limit: m, fds: 1 }`,
    'm 2',
  ],
  [
    'what is never told to be read is read at the end',
    `
  - send: { from: a, to: m, ${THREE} }
  - fault: { limit: m, fds: 2 }`,
    'm 2',
  ],
  [
    'of some that are read now and some later nothing is known of each',
    `
  - send: { from: a, to: m, ${THREE} }
  - fault: { limit: m, fds: 0 }
  - fault: { read: m, count: 1 }
  - fault: { limit: m, fds: 2 }
  - fault: { read: m }`,
    'm 0|2',
  ],
  [
    'who is paused reads when it goes on',
    `
  - fault: { limit: b, fds: 1 }
  - fault: { pause: b }
  - send: { from: a, to: b, ${THREE} }
  - fault: { resume: b }
  - fault: { limit: b, fds: 2 }`,
    'b 1',
  ],
  [
    'beside a limit both are right',
    `
  - fault: { limit: b, fds: 1 }
  - parallel:
      - fault: { limit: b, fds: 2, for: 5ms }
      - send: { from: a, to: b, ${THREE} }`,
    'b 1|2|3',
  ],
  [
    'behind limits side by side either is right',
    `
  - parallel:
      - fault: { limit: b, fds: 1 }
      - fault: { limit: b, fds: 2 }
  - send: { from: a, to: b, ${THREE} }`,
    'b 1|2',
  ],
  [
    'a client that starts again has none',
    `
  - fault: { limit: b, fds: 1 }
  - fault: { restart: b }
  - send: { from: a, to: b, ${THREE} }`,
    '',
  ],
];

const client = fc.constantFrom('b', 'm');
const send = client.map((who) => `send: { from: a, to: ${who}, count: 2, ${THREE} }`);
const limit = fc
  .tuple(client, fc.constantFrom(0, 1, 2, 'unlimited'), fc.constantFrom('', ', for: 1ms'))
  .map(([who, fds, lasts]) => `fault: { limit: ${who}, fds: ${fds}${fds === 'unlimited' ? '' : lasts} }`);
const verb = (...verbs: string[]) =>
  fc.tuple(client, fc.constantFrom(...verbs)).map(([who, text]) => `fault: { ${text.replace('NAME', who)} }`);
const reading = verb('stop-reading: NAME', 'read: NAME', 'read: NAME, count: 1');
/**
 * Reading changes in one branch only: of two the run would not know which came last. A read of a number of messages may find
 * those beside it read already, and wait for ever. A client that is paused cannot be limited.
 */
const beside = verb('stop-reading: NAME', 'read: NAME');
const parallel = fc.tuple(beside, fc.array(fc.oneof(send, limit), { minLength: 1, maxLength: 3 })).map(
  (branches) =>
    `parallel: [${branches
      .flat()
      .map((each) => `{ ${each} }`)
      .join(', ')}]`,
);
/** A client that stops reading beside sends may have read all of them, and a read of a number of messages finds none. */
function mayWait(steps: readonly string[]): boolean {
  const stops = steps.findIndex((each) => each.startsWith('parallel') && each.includes('stop-reading'));
  return stops >= 0 && steps.slice(stops).some((each) => each.startsWith('fault') && each.includes('count'));
}

const step = fc.oneof(send, limit, reading, verb('pause: NAME', 'resume: NAME'), parallel);

describe('descriptors of limited clients', () => {
  for (const [what, traffic, expected] of CASES) it(what, () => assert.equal(got(traffic), expected));

  it('are as many as a simulated kernel gives, whatever else happens', async () => {
    const traffic = fc.array(step, { minLength: 3, maxLength: 12 }).filter((steps) => !mayWait(steps));
    let played = 0;
    await fc.assert(
      fc.asyncProperty(traffic, fc.nat(), async (steps, seed) => {
        const yaml = bus('queueLength: 100', steps.map((each) => `  - ${each}`).join('\n'));
        const { verdict } = await playText(yaml, { seed }).catch(() => ({ verdict: undefined }));
        if (verdict === undefined) return;
        played++;
        assert.deepEqual(complaints(verdict), []);
      }),
      { numRuns: 300 },
    );
    assert.ok(played > 5, `${played} made sense`);
  });
});
