// SPDX-License-Identifier: MIT
// What a run that ends before its last step still proves: a lost message is never an error of the environment, and a
// sound bus that is cut at any moment never fails.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'mocha';
import { complaints, playFile, playText } from './play.ts';

const FOLDER = new URL('../../../topologies/', import.meta.url).pathname;
const FILES = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.topo.yaml'),
);

const COUNTING = `buses: { b: {} }
clients: { a: {}, r: { receive: manual } }
traffic:
  - send: { from: a, to: r, count: 3 }
  - fault: { read: r, count: 3 }
  - a -> r: "later"
`;

/** Nobody reads, so the sender waits to the end of the run: that is no fault of the bus. */
const WAITING = `buses: { b: { queueLength: 1 } }
clients: { a: {}, r: { receive: manual } }
traffic:
  - parallel:
      - send: { from: a, to: r, count: 9 }
      - fault: { read: r, at: 60s }
`;

describe('a run that is cut short', () => {
  for (let every = 1; every <= 3; every++) {
    it(`fails recipients if copy ${every} of three that a reader waits for was lost`, async () => {
      const { verdict, error } = await playText(COUNTING, { seed: 1, bug: { name: 'lose', every } });
      assert.equal(error, null);
      assert.equal(verdict.result, 'fail');
      const [first] = verdict.checks.flatMap((c) => c.failures);
      assert.equal(first?.check, 'recipients');
      assert.equal(first?.kind, 'lost');
      assert.match(first?.summary ?? '', every === 1 ? /r did not get a#1/ : new RegExp(`a#${every}$`));
      const cut = verdict.checks.flatMap((c) => c.failures).find(({ kind }) => kind === 'cut');
      assert.match(cut?.observed ?? '', /step 2 \(\S+:\d+\) waited for r to do "read r count 3"/);
    });
  }

  it('says so beside what it fails, on a message bus as well', async () => {
    let cut = 0;
    for (let timeout = 1; timeout < 4000; timeout *= 2) {
      const options = { seed: 1, bug: { name: 'double-signal', every: 1 } } as const;
      const { verdict, trace } = await playFile(`${FOLDER}message-bus/cut-off.topo.yaml`, options, timeout);
      if (verdict.result !== 'fail' || trace?.cut === undefined) continue;
      cut++;
      const failures = verdict.checks.flatMap((c) => c.failures);
      assert.deepEqual([...new Set(failures.map(({ check }) => check))], ['dbus.signals', 'dbus.lifetime']);
      assert.equal(failures.find(({ kind }) => kind === 'cut')?.observed, trace.cut);
    }
    assert.ok(cut > 0);
  });

  it('is an error if the file itself keeps its senders waiting, and says which waits for what', async () => {
    const { verdict, error } = await playText(WAITING, { seed: 1 }, 5000);
    assert.equal(verdict.result, 'error', complaints(verdict).join('\n'));
    assert.match(error?.message ?? '', /step 1\.b1\.1 \(\S+:5\) waited for .*a#1 … a#9/);
  });

  for (const name of FILES) {
    it(`proves nothing against a sound bus at any moment of ${name}`, async () => {
      for (let timeout = 1; timeout < 4000; timeout = Math.ceil(timeout * 3)) {
        const { verdict } = await playFile(`${FOLDER}${name}`, { seed: timeout }, timeout);
        assert.notEqual(verdict.result, 'fail', `${timeout} ms:\n${complaints(verdict).join('\n')}`);
      }
    }).timeout(120_000);
  }
});
