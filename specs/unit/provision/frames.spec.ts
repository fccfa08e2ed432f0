// SPDX-License-Identifier: MIT
// The output of a container, also from an engine that a stranger has replaced.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { partFrames } from '../../../runner/provision/frames.ts';

function frame(stream: number, text: string, length = text.length): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(length, 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

const PIECE = 10_000;

function parted() {
  const from = new PassThrough();
  const said = { out: '', err: '' };
  const to = (name: keyof typeof said) =>
    new Writable({
      write: (text: Buffer, _, done) => {
        said[name] += text;
        done();
      },
    });
  partFrames(from, to('out'), to('err'));
  return { from, said };
}

describe('frames of output', () => {
  it('are parted wherever the bytes are cut', async () => {
    const bytes = Buffer.concat([
      ...[frame(1, 'a'), frame(2, 'bad'), frame(1, ''), frame(0, 'echo'), frame(1, 'bc'), frame(3, '!')],
    ]);
    for (let size = 1; size <= bytes.length; size++) {
      const { from, said } = parted();
      for (let at = 0; at < bytes.length; at += size) from.write(bytes.subarray(at, at + size));
      from.end();
      await once(from, 'end');
      assert.deepEqual(said, { out: 'abc', err: 'bad!' }, `in parts of ${size}`);
    }
  });

  it('are passed on before they are whole, since one may be announced that has no end', async () => {
    const { from, said } = parted();
    from.write(frame(1, 'begun', 0xffff_ffff));
    await turn();
    assert.equal(said.out, 'begun');
  });

  it('may be empty, thousands of them in one piece', async () => {
    const { from, said } = parted();
    from.end(Buffer.concat([...Array(100_000).fill(frame(1, '')), frame(1, 'last')]));
    await once(from, 'end');
    assert.equal(said.out, 'last');
  });

  /** 100 frames for stdout, then one for stderr, and outputs that nobody has read from yet. */
  async function unread() {
    const [from, out, err] = [new PassThrough(), new PassThrough(), new PassThrough()];
    partFrames(from, out, err);
    for (let n = 0; n < 100; n++) from.write(frame(1, 'x'.repeat(PIECE)));
    from.end(frame(2, 'last'));
    await turn();
    assert.equal(from.isPaused(), true);
    assert.ok(out.readableLength + out.writableLength <= 2 * out.writableHighWaterMark + PIECE);
    return { from, out, err };
  }

  it('are not read while an output is full, and all come later', async () => {
    const { from, out } = await unread();
    let bytes = 0;
    out.on('data', (text: Buffer) => {
      bytes += text.length;
    });
    await once(from, 'end');
    await turn();
    assert.equal(bytes, 100 * PIECE);
  });

  it('come to the other output if the one that is full has ended', async () => {
    const { from, out, err } = await unread();
    out.destroy();
    await once(from, 'end');
    assert.equal(String(err.read()), 'last');
  });

  it('are an error if they are none', async () => {
    const { from, said } = parted();
    from.write('::error::x');
    const [error] = (await once(from, 'error')) as [Error];
    assert.match(error.message, /no frames/);
    assert.deepEqual(said, { out: '', err: '' });
  });
});
