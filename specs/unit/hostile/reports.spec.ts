// SPDX-License-Identifier: MIT
// Nodes that lie, from real reports: each run ends with a verdict, or with an error that names a node.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { EnvironmentError, InvalidInput } from '../../../runner/common/errors.ts';
import type { Site } from '../../../runner/provision/site.ts';
import { simSite } from '../../../runner/sim/index.ts';
import { planOf, playReports, violationsOf } from '../../hostile/reports.ts';

const QUICKSTART = planOf('quickstart');
const fair = () => simSite({ seed: 1 });
const failing = (error: Error): Site => ({
  ...fair(),
  start: async () => {
    throw error;
  },
});

describe('a node that lies', function () {
  this.timeout(600_000);

  it('ends a run with a verdict or is named, and steers nothing that is printed', async () => {
    assert.deepEqual(await playReports({ seed: 1, lines: 500 }), []);
  });

  it('is not found if no node lies', async () => {
    assert.deepEqual(await violationsOf(QUICKSTART, fair()), []);
  });

  it('is found if it makes the runner throw', async () => {
    const found = await violationsOf(QUICKSTART, failing(new TypeError('x is undefined')));
    assert.match(found.join(), /^it threw: TypeError: x is undefined\n +at /);
  });

  it('is found if no node is named', async () => {
    const found = await violationsOf(QUICKSTART, failing(new EnvironmentError('it broke', 'mend it')));
    assert.deepEqual(found, ['it names no node: it broke']);
  });

  it('is found if the error is of another kind', async () => {
    const found = await violationsOf(QUICKSTART, failing(new InvalidInput('node "ecu" is odd', 'mend it')));
    assert.match(found.join(), /^it ended with InvalidInput/);
  });

  it('is found if it takes too much time or memory', async () => {
    assert.match((await violationsOf(QUICKSTART, fair(), 0)).join(), /^it took \d\.\d s of processor$/);
    assert.match((await playReports({ seed: 1, lines: 1, mostMemory: -1e12 })).join(), /MiB of memory/);
  });
});
