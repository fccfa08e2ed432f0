// SPDX-License-Identifier: MIT
// The copy of the agent on the machine of an engine, if several users of that engine make it at once.
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
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
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { ContainerCreateOptions, default as Dockerode } from 'dockerode';
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
const IMAGE = 'afbus-topo/agent:1';

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

  /** An engine whose containers write this to their stdout, and what was done with them. */
  function engine(output: string, start = async () => {}) {
    const head = Buffer.from([1, 0, 0, 0, 0, 0, 0, output.length]);
    const attach = async () => Readable.from([Buffer.concat([head, Buffer.from(output)])]);
    const [created, removed] = [[] as ContainerCreateOptions[], [] as unknown[]];
    const container = { attach, start, remove: async (options: unknown) => void removed.push(options) };
    const createContainer = async (options: ContainerCreateOptions) => {
      created.push(options);
      return container;
    };
    return { docker: { createContainer } as unknown as Dockerode, created, removed };
  }

  /** What is said if the copy ends with that status. */
  async function saidAfter(status: unknown): Promise<EnvironmentError> {
    const error = await copyAgent(engine(`${status}\n`).docker, IMAGE).catch((e) => e);
    assert.ok(error instanceof EnvironmentError, error.stack);
    return error;
  }

  it('is made in a container that the engine removes itself, since the runner may be killed', async () => {
    const { docker, created } = engine('0\n');
    assert.equal(
      await copyAgent(docker, IMAGE),
      '/var/lib/afbus-topo/1/node /var/lib/afbus-topo/1/agent.cjs',
    );
    assert.equal(created[0]?.HostConfig?.AutoRemove, true);
  });

  it('leaves no container that cannot be started', async () => {
    const { docker, removed } = engine('', async () => {
      throw new Error('no space left on device');
    });
    await assert.rejects(copyAgent(docker, IMAGE), /no space left on device/);
    assert.deepEqual(removed, [{ force: true }]);
  });

  it('tells by the output of its container how it ended', async () => {
    using files = place();
    const { docker, created } = engine('0\n');
    await copyAgent(docker, IMAGE);
    const [sh = '', ...args] = [created[0]?.Entrypoint ?? []].flat().slice(0, 4);
    const [from, to] = [files.path('agent'), files.path('copies')];
    const said = () =>
      execFileSync(sh, [...args, to, 'key', `${from}/.`], { encoding: 'utf8', stdio: 'pipe' });
    assert.equal(said(), '0\n');
    isWhole(files);
    rmSync(to, { recursive: true });
    assert.notEqual(said(), '0\n');
  });

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
