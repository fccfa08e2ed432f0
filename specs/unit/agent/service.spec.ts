// SPDX-License-Identifier: MIT
// The programs by which a bus starts clients that are processes already.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'mocha';
import { serviceOf, startable } from '../../../runner/agent/service.ts';

const NAME = 'org.example.Player';

function start(order: Parameters<typeof serviceOf>[0]): Promise<readonly [status: number | null]> {
  const [program = '', ...args] = serviceOf(order).exec;
  return once(spawn(program, args, { stdio: 'ignore' }), 'exit') as Promise<[number | null]>;
}

describe('the program of a service', () => {
  it('tells the client that waits', async () => {
    const at = `@afbus-spec-service.${process.pid}`;
    const told = Promise.withResolvers<void>();
    await startable(at, told.resolve);
    const [[status]] = await Promise.all([start({ name: NAME, at }), told.promise]);
    assert.equal(status, 0);
  });

  it('ends before it can know whether anybody waits, so that a daemon that kills it changes nothing', async () => {
    const [status] = await start({ name: NAME, at: `@afbus-spec-nobody.${process.pid}` });
    assert.equal(status, 0);
  });

  it('ends with the status that the file says', async () => {
    assert.deepEqual((await start({ name: NAME, exit: 7 }))[0], 7);
  });
});
