// SPDX-License-Identifier: MIT
// A signal at any moment of a command that plays: its exit code, no stack, nothing left, and no result lost.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { assertInterrupted, interrupted, moments, SIGNALS } from '../../helpers/interrupts.ts';

const ROOT = new URL('../../../', import.meta.url).pathname;
const LONG = ['--backend', 'sim', '--repeat', '1000', 'topologies/mixed-order.topo.yaml'];
const UNTIL = 2500;

describe('a signal', function () {
  this.timeout(40_000 * moments(2));
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'afbus-interrupt-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  const commands = {
    run: ['run', ...LONG.map((each) => each.replace('topologies/', `${ROOT}topologies/`))],
    fuzz: () => ['fuzz', '--backend', 'sim', '--runs', '100000', '--out', home],
  };

  for (const name of SIGNALS) {
    for (const [verb, args] of Object.entries(commands)) {
      it(`ends ${verb} at any moment (${name})`, async () => {
        const points = moments(2);
        for (let n = 0; n < points; n++) {
          const when = Math.round((UNTIL * (n + 0.5)) / points);
          const argv = typeof args === 'function' ? args() : args;
          assertInterrupted(
            await interrupted(argv, name, when, { TMPDIR: home, XDG_STATE_HOME: home }),
            name,
          );
          const left = readdirSync(home).filter((each) => each.startsWith('afbus') && each !== 'afbus-topo');
          assert.deepEqual(left, []);
        }
      });
    }
  }

  it('leaves the results that there are in one JSON document', async () => {
    const child = spawn(`${ROOT}bin/afbus-topo`, ['run', '--format', 'json', ...LONG], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, XDG_STATE_HOME: home },
    });
    let said = '';
    // Once: a second signal makes the command leave without its results.
    let interrupts = 0;
    child.stderr.setEncoding('utf8').on('data', (more: string) => {
      said += more;
      if (interrupts === 0 && (said.match(/✓ judge/g) ?? []).length >= 3) {
        interrupts++;
        child.kill('SIGINT');
      }
    });
    const [stdout] = await Promise.all([text(child.stdout), once(child, 'close')]);
    const verdicts = JSON.parse(stdout) as { result?: string }[];
    assert.ok(verdicts.filter(({ result }) => result === 'pass').length >= 3, stdout);
  });
});
