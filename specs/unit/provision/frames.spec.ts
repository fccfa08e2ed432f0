// SPDX-License-Identifier: MIT
// The output of a container, also from an engine that a stranger has replaced.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { partFrames } from '../../../runner/provision/frames.ts';

function frame(stream: number, text: string, length = text.length): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(length, 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

function parted() {
  const from = new PassThrough();
  const said = { out: '', err: '' };
  const to = (name: keyof typeof said) => ({
    write: (text: Buffer) => {
      said[name] += text;
      return true;
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

  it('are an error if they are none', async () => {
    const { from, said } = parted();
    from.write('::error::x');
    const [error] = (await once(from, 'error')) as [Error];
    assert.match(error.message, /no frames/);
    assert.deepEqual(said, { out: '', err: '' });
  });
});
