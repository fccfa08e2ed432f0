// SPDX-License-Identifier: MIT
// `host clean` leaves nothing of earlier builds in the cache.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { cli, folder } from '../../helpers/cli.ts';

describe('host clean', () => {
  it('removes modules that were stripped for hosts', async () => {
    using files = folder({});
    const modules = files.path('afbus-topo/modules');
    mkdirSync(`${modules}/0123`, { recursive: true, mode: 0o700 });
    writeFileSync(`${modules}/0123/af_bus.ko`, '');
    const env = { XDG_CACHE_HOME: files.path(''), XDG_STATE_HOME: files.path('state') };
    const { code, stderr } = await cli(['host', 'clean'], { env });
    assert.equal(code, 0, stderr);
    assert.ok(!existsSync(modules));
  });
});
