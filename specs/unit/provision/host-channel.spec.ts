// SPDX-License-Identifier: MIT
// What a command on the engine's machine says outside of its output.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'mocha';
import { LIMITS } from '../../../runner/common/limits.ts';
import { shown } from '../../../runner/provision/host-channel.ts';

describe('the stderr of a command in a host', () => {
  async function said(...texts: readonly string[]): Promise<string> {
    let all = '';
    const to = shown({
      write: (text: string) => {
        all += text;
        return true;
      },
    });
    for (const text of texts) to.write(Buffer.from(text));
    to.end();
    await once(to, 'finish');
    return all;
  }

  it('is shown line by line, and steers no terminal', async () => {
    assert.equal(await said('one\ntw', 'o\n\x1b[2J\n').then((all) => all.includes('\x1b')), false);
    assert.equal(await said('one\ntw', 'o\n'), 'one\ntwo\n');
  });

  it('is shown to its end, though the last line has no newline', async () => {
    assert.equal(await said('one\nlast'), 'one\nlast\n');
  });

  it('is shown after a line that is too long', async () => {
    const all = await said('x'.repeat(LIMITS.stderrBytes.most + 1), '\nnext\n');
    assert.equal(all, `${'x'.repeat(LIMITS.stderrBytes.most)}\nx\nnext\n`);
  });
});
