// SPDX-License-Identifier: MIT
// Output that nobody reads, or that has no room: never a stack trace, never a result lost without a word.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';

const COMMAND = fileURLToPath(new URL('../../../bin/afbus-topo', import.meta.url));

/** Plays shell lines with the command as `$topo`; the last line's exit code and what was said. */
function shell(script: string): Promise<{ code: number; stderr: string }> {
  const topo = `'${COMMAND}'`;
  return new Promise((resolve) => {
    execFile('bash', ['-c', script.replaceAll('$topo', topo)], (error, _, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stderr }),
    );
  });
}

describe('output', () => {
  it('that its reader has seen enough of changes neither exit code nor stderr', async () => {
    for (const [work, code] of [
      ['schema', 0],
      ['validate --format json /nowhere.topo.yaml', 2],
    ] as const) {
      const told = await shell(`$topo ${work} | true; exit \${PIPESTATUS[0]}`);
      assert.deepEqual(told, { code, stderr: '' }, work);
    }
  });

  it('that has no room is one error', async () => {
    const { code, stderr } = await shell('$topo schema > /dev/full');
    assert.equal(code, 4);
    assert.match(stderr, /^error: stdout cannot be written: ENOSPC.*\nhint: .*\n$/);
  });

  it('has stderr closed and goes on', async () => {
    assert.equal(
      (await shell('$topo validate /nowhere.topo.yaml 2>&1 | true; exit ${PIPESTATUS[0]}')).code,
      2,
    );
  });
});
