// SPDX-License-Identifier: MIT
// A signal at any moment of `up` and of `run` on the AF_BUS host: its exit code, no stack, and nothing of the run left.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { cli } from '../helpers/cli.ts';
import { assertInterrupted, interrupted, moments, SIGNALS } from '../helpers/interrupts.ts';

const FILE = new URL('../../topologies/groups.topo.yaml', import.meta.url).pathname;
/** ms in which both are at work, the start of the nodes included. */
const UNTIL = 12_000;

describe('a signal on the AF_BUS host', function () {
  this.timeout(60_000 * moments(2));

  const commands = {
    run: ['run', '--launcher', 'process', '--repeat', '100', FILE],
    up: ['up', '--launcher', 'process', FILE],
  };

  for (const [verb, args] of Object.entries(commands)) {
    it(`ends ${verb} at any moment`, async () => {
      const points = moments(2);
      for (let n = 0; n < points; n++) {
        const name = SIGNALS[n % SIGNALS.length] ?? 'SIGINT';
        const ended = await interrupted(args, name, Math.round((UNTIL * (n + 0.5)) / points));
        // What is up by then stays up, as it must: it is taken down here.
        if (verb === 'up' && ended.code === 0) await cli(['down', 'groups']);
        else assertInterrupted(ended, name);
        const { stdout } = await cli(['ps', '--format', 'json']);
        const { runs } = JSON.parse(stdout) as { runs: readonly { topology: string }[] };
        const left = runs.filter(({ topology }) => topology.startsWith('groups'));
        assert.deepEqual(left, [], `${name}, moment ${n + 1} of ${points}`);
      }
    });
  }
});
