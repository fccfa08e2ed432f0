// SPDX-License-Identifier: MIT
// What random topologies once found wrong, by many schedules.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'mocha';
import { complaints, playFile } from '../sim/play.ts';

const FOLDER = new URL('found/', import.meta.url).pathname;
const SEEDS = 20;

describe('found by fuzzing', () => {
  for (const file of readdirSync(FOLDER)) {
    it(`${file.replace('.topo.yaml', '').replaceAll('-', ' ')} is sound now`, async () => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const { verdict } = await playFile(`${FOLDER}${file}`, { seed });
        assert.deepEqual(complaints(verdict), [], `seed ${seed}`);
      }
    });
  }
});
