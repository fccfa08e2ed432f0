// SPDX-License-Identifier: MIT
// A fault calls for the end of a socket only if the fault was carried out, and if somebody reads the socket so far.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { complaints, playText } from './play.ts';

const BUS = `buses: { cabin: {} }
clients: { camera: {}, lidar: {}, rowdy: {} }
`;

const FILES: Readonly<Record<string, string>> = {
  'is not called for if the master dies before it expels': `${BUS}traffic:
  - parallel:
      - send: { from: camera, to: lidar, count: 40, rate: 1000/s }
      - fault: { kill: cabin.master, after: 5 }
      - fault: { expel: rowdy, after: 30 }
`,
  'is not called for if the expelled client dies before it reads on': `${BUS}traffic:
  - camera -> rowdy: "last words"
  - fault: { expel: rowdy }
  - fault: { pause: rowdy }
  - fault: { kill: rowdy }
  - camera -> lidar: "quiet"
`,
  'comes to a client that is paused while it is expelled': `${BUS}traffic:
  - camera -> lidar: "hello"
  - fault: { pause: rowdy }
  - fault: { expel: rowdy }
  - fault: { resume: rowdy }
  - camera -> lidar: "quiet"
`,
  'comes to the master that is paused meanwhile': `${BUS}traffic:
  - camera -> lidar: "hello"
  - fault: { pause: cabin.master }
  - fault: { kill: rowdy }
  - fault: { resume: cabin.master }
  - camera -> lidar: "quiet"
`,
};

/** The bystander that ends is b, when rowdy is expelled. */
const BEFORE_ITS_OWN = `buses: { cabin: {} }
clients: { b: {}, a: {}, rowdy: {} }
traffic:
  - a -> b: "hello"
  - fault: { expel: rowdy }
  - fault: { expel: b }
  - expect: { client: b, hangup: true }
`;
const NEVER_FULL = `buses: { cabin: { overflow: evict } }
clients: { b: {}, a: {}, rowdy: {} }
traffic:
  - a -> b: "hello"
  - fault: { expel: rowdy }
`;

describe('the end of a socket', () => {
  for (const [what, text] of Object.entries({
    'is not excused by a later one that the file waits for': BEFORE_ITS_OWN,
    'is no eviction if its queue is never full': NEVER_FULL,
  })) {
    it(what, async () => {
      const sound = await playText(text, { seed: 1 });
      assert.deepEqual(complaints(sound.verdict), []);
      const { verdict } = await playText(text, { seed: 1, bug: { name: 'end-bystander', every: 1 } });
      const ended = verdict.checks.find(({ name }) => name === 'lifetime')?.failures ?? [];
      assert.ok(
        ended.some(({ kind, summary }) => kind === 'ended' && /socket b ended/.test(summary)),
        complaints(verdict).join('\n'),
      );
    });
  }

  for (const [what, text] of Object.entries(FILES)) {
    it(what, async () => {
      for (let seed = 1; seed <= 40; seed++) {
        const { verdict, error } = await playText(text, { seed });
        assert.equal(error, null);
        assert.deepEqual(complaints(verdict), [], `seed ${seed}`);
      }
    });
  }
});
