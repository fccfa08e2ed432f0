// SPDX-License-Identifier: MIT
// The copy of the agent on the machine of an engine, if several users of that engine make it at once.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { COPY_ONCE } from '../../../runner/provision/docker.ts';
import { folder } from '../../helpers/cli.ts';

/** While one copies, another comes and is done first. */
const AMID = `#!/bin/sh
PATH=$USUAL
[ -e "$COPIES/key" ] || sh -c "$SCRIPT" sh "$COPIES" key "$FILES" || exit
exec cp "$@"
`;

describe('the copy of the agent', () => {
  const copy = (files: ReturnType<typeof folder>, path: string) =>
    spawnSync('sh', ['-c', COPY_ONCE, 'sh', files.path('copies'), 'key', `${files.path('agent')}/.`], {
      env: {
        ...{ PATH: `${path}${process.env.PATH}`, USUAL: process.env.PATH, SCRIPT: COPY_ONCE },
        ...{ COPIES: files.path('copies'), FILES: `${files.path('agent')}/.` },
      },
      encoding: 'utf8',
    });

  it('is whole, and leaves nothing else, though another one is made meanwhile', () => {
    using files = folder({ cp: AMID });
    chmodSync(files.path('cp'), 0o755);
    for (const name of ['agent', 'copies']) mkdirSync(files.path(name));
    writeFileSync(files.path('agent/agent.cjs'), '');
    for (const path of [`${files.path('')}:`, '']) {
      const { status, stderr } = copy(files, path);
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
      assert.deepEqual(readdirSync(files.path('copies')), ['key']);
      assert.deepEqual(readdirSync(files.path('copies/key')), ['agent.cjs']);
      assert.equal(statSync(files.path('copies/key')).mode & 0o777, 0o755);
    }
  });

  it('fails if there is nothing to copy', () => {
    using files = folder({});
    mkdirSync(files.path('copies'));
    assert.notEqual(copy(files, '').status, 0);
    assert.deepEqual(readdirSync(files.path('copies')), []);
  });
});
