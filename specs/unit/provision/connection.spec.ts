// SPDX-License-Identifier: MIT
// What a node says before it is ready, if it never is.
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { EnvironmentError } from '../../../runner/common/errors.ts';
import { LIMITS } from '../../../runner/common/limits.ts';
import { connectNode } from '../../../runner/provision/connection.ts';

describe('a node that ends before it is ready', () => {
  it('is quoted to its last word, even after a line that is too long', async () => {
    const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const connecting = connectNode('n', { input, output, errors }).catch((e) => e);
    errors.write(`${'x'.repeat(LIMITS.stderrBytes.most + 1)}\nwhy\nlast`);
    await turn();
    output.end();
    const error = await connecting;
    assert.ok(error instanceof EnvironmentError);
    assert.deepEqual(error.lines.slice(-3), ['x', 'why', 'last']);
  });
});
