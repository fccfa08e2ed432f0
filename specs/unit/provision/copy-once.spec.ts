// SPDX-License-Identifier: MIT
// The copy of the agent on the machine of an engine, if several users of that engine make it at once.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { describe, it } from 'mocha';
import { EnvironmentError } from '../../../runner/common/errors.ts';
import { copyAgent, copyOnce } from '../../../runner/provision/copy-agent.ts';
import { folder } from '../../helpers/cli.ts';

/** A `cp` that tells that it runs, and copies when the file `go` is there. */
const SLOW = `#!/bin/sh
PATH=$USUAL
: >"$COPIES.copies"
while [ ! -e "$COPIES.go" ]; do sleep 0.02; done
exec cp "$@"
`;
const AGENT = 'agent.cjs';

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await wait(20);
}

const hasChild = ({ pid }: ChildProcess): boolean =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8') !== '';

describe('the copy of the agent', () => {
  function place() {
    const files = folder({ cp: SLOW });
    chmodSync(files.path('cp'), 0o755);
    for (const name of ['agent', 'copies']) mkdirSync(files.path(name));
    writeFileSync(files.path(join('agent', AGENT)), '');
    return files;
  }
  type Place = ReturnType<typeof place>;

  /** In a group of its own. */
  const start = (files: Place, path = '', patience?: number) =>
    spawn('sh', ['-c', copyOnce(patience), 'sh', files.path('copies'), 'key', `${files.path('agent')}/.`], {
      env: {
        PATH: `${path}${process.env.PATH}`,
        ...{ USUAL: process.env.PATH, COPIES: files.path('copies') },
      },
      stdio: 'ignore',
      detached: true,
    });
  const slow = (files: Place) => start(files, `${files.path('')}:`);
  const end = async (child: ChildProcess): Promise<unknown> => (await once(child, 'exit'))[0];

  function isWhole(files: Place): void {
    assert.deepEqual(readdirSync(files.path('copies')), ['key']);
    assert.deepEqual(readdirSync(files.path('copies/key')), [AGENT]);
    assert.equal(statSync(files.path('copies/key')).mode & 0o777, 0o755);
  }

  it('is whole, and leaves nothing else, though another one is made meanwhile', async () => {
    using files = place();
    const first = slow(files);
    await until(() => existsSync(files.path('copies.copies')));
    const second = start(files);
    await until(() => hasChild(second)); // which waits for the lock
    writeFileSync(files.path('copies.go'), '');
    assert.deepEqual(await Promise.all([end(first), end(second)]), [0, 0]);
    isWhole(files);
    assert.equal(await end(start(files)), 0);
    isWhole(files);
  });

  it('leaves nothing of one that was killed, nor of one that an earlier version left', async () => {
    using files = place();
    const first = slow(files);
    await until(() => existsSync(files.path('copies.copies')));
    process.kill(-(first.pid as number), 'SIGKILL');
    await end(first);
    assert.deepEqual(readdirSync(files.path('copies')), ['new']);
    mkdirSync(files.path('copies/new.x1Y2z3'));
    assert.equal(await end(start(files)), 0);
    isWhole(files);
  });

  /** What is said if the copy ends with that status. */
  async function saidAfter(StatusCode: unknown): Promise<EnvironmentError> {
    const container = { start: async () => {}, wait: async () => ({ StatusCode }), remove: async () => {} };
    const docker = { createContainer: async () => container };
    const error = await copyAgent(docker as unknown as Dockerode, 'afbus-topo/agent:1').catch((e) => e);
    assert.ok(error instanceof EnvironmentError);
    return error;
  }

  it('waits for no other one that makes no progress, and says how to end that', async () => {
    using files = place();
    const first = slow(files);
    await until(() => existsSync(files.path('copies.copies')));
    process.kill(-(first.pid as number), 'SIGSTOP');
    const { message, hint } = await saidAfter(await end(start(files, '', 0)));
    process.kill(-(first.pid as number), 'SIGKILL');
    await end(first);
    assert.match(message, /another container has locked that folder for 60 s$/);
    assert.match(hint, /if it is paused, remove it/);
  });

  it('says nothing of another one if it fails itself', async () => {
    const { message, hint } = await saidAfter(1);
    assert.match(message, /could not be copied to \S+ of the engine's machine$/);
    assert.equal(hint, 'use --launcher container');
  });

  it('fails if there is nothing to copy', async () => {
    using files = place();
    rmSync(files.path('agent'), { recursive: true });
    assert.notEqual(await end(start(files)), 0);
    assert.deepEqual(readdirSync(files.path('copies')), []);
  });
});
