// SPDX-License-Identifier: MIT
// Every topology of the project, on the simulated bus, by several schedules.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'mocha';
import { complaints, playFile } from './play.ts';

const FOLDER = new URL('../../../topologies/', import.meta.url).pathname;
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.topo.yaml'));
const SEEDS = [1, 2, 3];
/** Checks that no topology may leave without something to check. */
const RAN = ['recipients', 'integrity', 'errors'];

describe('topologies on sim', () => {
  for (const file of files) {
    it(`${file.replace('.topo.yaml', '')} passes`, async () => {
      for (const seed of SEEDS) {
        const { verdict } = await playFile(`${FOLDER}${file}`, { seed });
        assert.deepEqual(complaints(verdict), [], `seed ${seed}`);
        assert.equal(verdict.result, 'pass');
        assert.deepEqual(verdict.where, { backend: 'sim', launcher: 'process', kernel: 'none', seed });
        const ran = verdict.checks.filter((c) => c.result === 'pass').map((c) => c.name as string);
        for (const check of RAN) assert.ok(ran.includes(check), `${check} had nothing to check`);
      }
    });
  }
});
