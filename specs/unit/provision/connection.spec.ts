// SPDX-License-Identifier: MIT
// What a node says before it is ready, if it never is.
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { PROTOCOL_VERSION } from '../../../runner/agent/protocol.ts';
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

  it('is quoted with its last lines alone, and the beginning of each', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const connecting = connectNode('n', { input, output }).catch((e) => e);
    for (let n = 0; n < 1000; n++) output.write(`${n} ${'x'.repeat(10_000)}\n`);
    output.end();
    const error = await connecting;
    assert.ok(error instanceof EnvironmentError);
    assert.equal(error.lines.length, 20);
    assert.match(error.lines[0] ?? '', /^980 x+$/);
    assert.ok(error.lines.every((line) => line.length < 5000));
  });
});

describe('a node that reports without end', () => {
  const MOST = 1000;
  /** Where it takes the place of a run's 1 GiB. */
  async function endsAfter(line: string, lines: number): Promise<string | undefined> {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const connecting = connectNode('n', { input, output }, MOST);
    output.write(`${HELLO}\n`);
    const node = await connecting;
    node.onReport(() => {});
    output.write(`${line}\n`.repeat(lines));
    await turn();
    return Promise.race([node.closed, turn(undefined)]);
  }
  const HELLO = JSON.stringify({
    ...{ say: 'hello', version: PROTOCOL_VERSION, kernel: '6.12', bus: { family: 46 }, pid: 1 },
  });
  const left = MOST - HELLO.length - 1;

  it('is cut off when it has sent as many bytes as it may', async () => {
    const more = 'it reported more than 1000 bytes';
    assert.equal(await endsAfter('x'.repeat(left - 1), 1), undefined);
    assert.equal(await endsAfter('x'.repeat(left), 1), more);
    assert.equal(await endsAfter('€'.repeat(Math.ceil(left / 3)), 1), more);
  });

  it('is cut off even if its lines are empty', async () => {
    assert.equal(await endsAfter('', left), undefined);
    assert.equal(await endsAfter('', left + 1), 'it reported more than 1000 bytes');
  });

  it('is not read before the run listens, and then from its first report on', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const connecting = connectNode('n', { input, output });
    const report = (n: number) => ({ say: 'started', agent: `${n}`, pid: n });
    const line = (n: number) => `${JSON.stringify(report(n))}\n`;
    output.write(`${line(0)}${HELLO}\n${line(1)}`);
    const node = await connecting;
    output.write(line(2));
    await turn();
    assert.equal(output.readableLength, line(2).length);
    const heard: object[] = [];
    node.onReport((each) => void heard.push(each));
    output.end(line(3));
    assert.equal(await node.closed, 'its stream ended');
    assert.deepEqual(heard, [1, 2, 3].map(report));
  });
});
