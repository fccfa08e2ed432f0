// SPDX-License-Identifier: MIT
// Quick enough to be run at every save, and for a thousand clients. The limits are the promise, not what it takes.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { seconds } from '../../helpers/seconds.ts';
import { complaints, playFile, playText } from './play.ts';

const QUICKSTART = new URL('../../../topologies/quickstart.topo.yaml', import.meta.url).pathname;
const CROWD = `
buses: { cabin: {} }
groups: { all: { prefix: 0x0001 } }
clients: { s: {}, r: { replicas: 1000, groups: [all] } }
traffic:
  - { send: { from: s, to: all, count: 100 }, expect: { recipients: [all] } }
`;

describe('speed of sim', function () {
  this.timeout(60_000);

  it('plays the quickstart in 200 ms', async () => {
    const play = async () => {
      const { verdict } = await playFile(QUICKSTART, { seed: 1 });
      assert.equal(verdict.result, 'pass');
    };
    await play(); // modules are loaded, code is warm
    const took = await seconds(play);
    assert.ok(took < 0.2, `${took} s`);
  });

  it('plays 100 multicasts to 1,000 clients in 5 s', async () => {
    const took = await seconds(async () => {
      const { verdict } = await playText(CROWD, { seed: 1 });
      assert.deepEqual(complaints(verdict), []);
      assert.equal(verdict.counts.deliveries, 100_000);
    });
    assert.ok(took < 5, `${took} s`);
  });
});
