// SPDX-License-Identifier: MIT
// Under a Node that is too old the command starts a newer one, and is one process to whoever started it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';
import { folder } from '../../helpers/cli.ts';

const COMMAND = fileURLToPath(new URL('../../../bin/afbus-topo.js', import.meta.url));
/** What the command looks at. */
const OLD = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.0.0'}})`;
const LONG = `buses: { b: {} }
clients: { a: {}, c: {} }
traffic:
  - { send: { from: a, to: c, count: 300000, rate: 20000/s } }
`;

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

function old(args: readonly string[], signal?: NodeJS.Signals): Promise<Ended> {
  // A session of its own has no terminal, in whose foreground it could be.
  const child = spawn(process.execPath, ['--import', OLD, COMMAND, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (signal && !stderr.includes('nodes') && `${stderr}${text}`.includes('nodes')) child.kill(signal);
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    // `close` comes when the child of the child has let go of stderr as well.
    child.on('error', reject).on('close', (code) => resolve({ code, stderr }));
  });
}

describe('the command under an old Node', function () {
  this.timeout(30_000);

  it('has the exit code of what it starts', async () => {
    assert.equal((await old(['version'])).code, 0);
    assert.equal((await old(['validate', '/nowhere'])).code, 2);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`hands ${signal} on, once`, async () => {
      using files = folder({ 'long.topo.yaml': LONG });
      const { code, stderr } = await old(['run', '--backend', 'sim', files.path('long.topo.yaml')], signal);
      assert.equal(code, 130, stderr);
      assert.match(stderr, /interrupted: cleaning up/);
      assert.doesNotMatch(stderr, /leaving at once/);
    });
  }

  it('ends with what a signal ends', async () => {
    using files = folder({ 'long.topo.yaml': LONG });
    const { code } = await old(['run', '--backend', 'sim', files.path('long.topo.yaml')], 'SIGHUP');
    assert.equal(code, 129);
  });
});
