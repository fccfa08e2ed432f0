// SPDX-License-Identifier: MIT
// A command in a node: its output as it comes, its status, and nodes in which none can run.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, it } from 'mocha';
import { copyOutput } from '../../../runner/cli/exec-output.ts';
import { type Found, pickRunning } from '../../../runner/cli/find-run.ts';

/** Text and status of what comes in these pieces. */
async function copied(...pieces: readonly (string | Buffer)[]): Promise<readonly [string, number]> {
  const to = new PassThrough();
  const status = await copyOutput(PassThrough.from(pieces.map((piece) => Buffer.from(piece))), to);
  to.end();
  return [Buffer.concat(await to.toArray()).toString('latin1'), status];
}

describe('the output of a command', () => {
  it('ends before its status, however it is cut into pieces', async () => {
    assert.deepEqual(await copied('one\ntwo\n', '\n\u00010'), ['one\ntwo\n', 0]);
    assert.deepEqual(await copied(...'no line break\n\u0001127'), ['no line break', 127]);
    assert.deepEqual(await copied('\n\u00013'), ['', 3]);
    assert.deepEqual(await copied('a mark \n\u00010 amid it', '\n\u00011'), ['a mark \n\u00010 amid it', 1]);
    assert.deepEqual(await copied(Buffer.from([0xff, 0, 0xfe]), '\n\u00010'), ['\xff\0\xfe', 0]);
  });

  it('is there before the command ends', async () => {
    const [from, to] = [new PassThrough(), new PassThrough()];
    const status = copyOutput(from, to);
    from.write('a line that is long enough\n');
    await once(to, 'readable');
    assert.match(String(to.read()), /^a line that is long/);
    from.end('\n\u00010');
    assert.equal(await status, 0);
  });

  it('without a status was cut off', async () => {
    await assert.rejects(copied('half of'), /the output was cut off before the command ended/);
  });
});

describe('a node', () => {
  const nodes = [
    { name: 'ecu', id: '1', state: 'running' },
    { name: 'hub', id: '2', state: 'exited' },
  ];
  const found = { run: { topology: 'cabin', nodes } } as unknown as Found;

  it('that runs takes a command', () => assert.equal(pickRunning(found, 'ecu').id, '1'));

  it('that has ended takes none, and the error says so', () => {
    assert.throws(
      () => pickRunning(found, 'hub'),
      /node "hub" of "cabin" is exited: no command can run in it/,
    );
  });
});
