// SPDX-License-Identifier: MIT
// Modules that are not built are told of before an image is built for them.
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { describe, it } from 'mocha';
import { cache } from '../../runner/host/paths.ts';
import { cli, folder } from '../helpers/cli.ts';

const KERNEL = process.env.AFBUS_KERNEL === '6.1' ? '6.1' : '6.12';

describe('a host whose modules are not built', function () {
  this.timeout(120_000);

  it('says so before anything else is built', async () => {
    using files = folder({});
    mkdirSync(files.path('afbus-topo'), { mode: 0o700 });
    symlinkSync(cache('kernel'), files.path('afbus-topo/kernel'));
    const env = {
      XDG_CACHE_HOME: files.path(''),
      XDG_STATE_HOME: files.path('state'),
      AFBUS_MODULES: 'build/none',
    };
    const { code, stderr } = await cli(['host', 'start', '--kernel', KERNEL], {
      env,
      onStderr: (child, text) => void (text.includes('file system') && child.kill()),
    });
    assert.equal(code, 4, stderr);
    assert.match(stderr, /af_bus\.ko is not built/);
    assert.doesNotMatch(stderr, /building the host|booting/);
  });
});
