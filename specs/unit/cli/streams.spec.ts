// SPDX-License-Identifier: MIT
// Output that nobody reads, or that has no room: never a stack trace, never a result lost without a word.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
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

  it('to a full disk is one error', async () => {
    const { code, stderr } = await shell('$topo schema > /dev/full');
    assert.equal(code, 4);
    assert.match(stderr, /^error: stdout cannot be written: ENOSPC.*\nhint: .*\n$/);
  });

  it('goes on without stderr', async () => {
    assert.equal(
      (await shell('$topo validate /nowhere.topo.yaml 2>&1 | true; exit ${PIPESTATUS[0]}')).code,
      2,
    );
  });

  it('to a terminal that is closed ends the command as its signal does', async () => {
    const home = mkdtempSync(join(tmpdir(), 'afbus-terminal-'));
    try {
      const file = fileURLToPath(new URL('../../../topologies/mixed-order.topo.yaml', import.meta.url));
      const shell = `trap 'kill -HUP $!' HUP
        '${COMMAND}' run --backend sim --repeat 5000 '${file}' &
        wait; wait $!; echo $? >code`;
      const terminal = spawn('script', ['--quiet', '--flush', '--command', shell, '/dev/null'], {
        cwd: home,
        env: { ...process.env, SHELL: '/bin/sh', TERM: 'dumb', XDG_STATE_HOME: home },
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      await once(terminal.stdout, 'data');
      terminal.kill('SIGKILL');
      await once(terminal.stdout, 'close');
      assert.equal(await written(join(home, 'code')), '129\n');
    } finally {
      rmSync(home, { recursive: true });
    }
  }).timeout(30_000);
});

/** What a file holds as soon as it holds anything. */
async function written(file: string): Promise<string> {
  for (;;) {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (text !== '') return text;
    await setTimeout(20);
  }
}
