// SPDX-License-Identifier: MIT
// Every topology of message buses, on the simulated bus, by several schedules; and what its file says is what the model does.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'mocha';
import { load, renderDiagnostics } from '../../../runner/load/index.ts';
import { complaints, playFile } from '../sim/play.ts';

const FOLDER = new URL('../../../topologies/message-bus/', import.meta.url).pathname;
const files = readdirSync(FOLDER);
const SEEDS = [1, 2, 3];
const RAN = ['dbus.replies', 'dbus.names', 'dbus.order'];

describe('topologies of message buses on sim', () => {
  for (const file of files) {
    it(`${file.replace('.topo.yaml', '')} passes`, async () => {
      const { diagnostics, sources } = load(FOLDER + file);
      assert.equal(renderDiagnostics(diagnostics, sources), '');
      for (const seed of SEEDS) {
        const { verdict } = await playFile(FOLDER + file, { seed });
        assert.deepEqual(complaints(verdict), [], `seed ${seed}`);
        assert.equal(verdict.result, 'pass');
        const ran = verdict.checks.filter((c) => c.result === 'pass').map((c) => c.name as string);
        for (const check of RAN) assert.ok(ran.includes(check), `${check} had nothing to check`);
      }
    });
  }
});
