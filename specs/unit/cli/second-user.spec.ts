// SPDX-License-Identifier: MIT
// Folders that another user of the machine has made or can read, and backends that would give a stranger the machine.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { describe, it } from 'mocha';
import { isUntrusted } from '../../../runner/cli/options.ts';
import { ownFolder } from '../../../runner/common/folder.ts';
import { cli, folder } from '../../helpers/cli.ts';

const FILE = 'buses: { b: {} }\nclients: { x: {}, y: {} }\ntraffic:\n  - x -> y: hi\n';
const ANOTHER = 65534;

describe('another user of the machine', () => {
  it('reads no run: the folder of runs is closed', async () => {
    using files = folder({ 'a.topo.yaml': FILE });
    mkdirSync(files.path('state/afbus-topo/runs'), { recursive: true });
    chmodSync(files.path('state/afbus-topo/runs'), 0o777);
    const said = await cli(['run', '-q', '--backend', 'sim', files.path('a.topo.yaml')], {
      env: { XDG_STATE_HOME: files.path('state') },
    });
    assert.equal(said.code, 0, said.stderr);
    assert.equal(statSync(files.path('state/afbus-topo/runs')).mode & 0o777, 0o700);
  });

  // Only root can make a folder of another user.
  if (process.getuid?.() === 0) {
    it('has made no folder that is used', async () => {
      using files = folder({ 'a.topo.yaml': FILE });
      const runs = files.path('state/afbus-topo/runs');
      mkdirSync(runs, { recursive: true });
      chownSync(runs, ANOTHER, ANOTHER);
      assert.throws(() => ownFolder(runs), /it belongs to the user 65534/);
      const said = await cli(['run', '-q', '--backend', 'sim', files.path('a.topo.yaml')], {
        env: { XDG_STATE_HOME: files.path('state') },
      });
      assert.match(said.stderr, /the artifacts of this run are not kept: it belongs to the user 65534/);
      assert.deepEqual(readdirSync(runs), []);
    });
  }
});

describe('a file that is not trusted', () => {
  it('is one in CI, unless somebody says otherwise', () => {
    const { CI, AFBUS_TRUSTED } = process.env;
    const answers = (env: object, flags = {}) => {
      delete process.env.CI;
      delete process.env.AFBUS_TRUSTED;
      Object.assign(process.env, env);
      return isUntrusted(flags);
    };
    try {
      assert.deepEqual(
        [
          answers({}),
          answers({ CI: 'true' }),
          answers({ CI: 'true', AFBUS_TRUSTED: '1' }),
          answers({ CI: 'true' }, { untrusted: false }),
          answers({}, { untrusted: true }),
        ],
        [false, true, false, false, true],
      );
    } finally {
      delete process.env.CI;
      delete process.env.AFBUS_TRUSTED;
      Object.assign(
        process.env,
        CI !== undefined && { CI },
        AFBUS_TRUSTED !== undefined && { AFBUS_TRUSTED },
      );
    }
  });

  it('gets no engine that is not its own', async () => {
    using files = folder({ 'a.topo.yaml': FILE });
    const said = await cli(['run', '--backend', 'docker', '--untrusted', files.path('a.topo.yaml')]);
    assert.equal(said.code, 2);
    assert.match(said.stderr, /files that are not trusted are not played with --backend docker/);
  });
});
