// SPDX-License-Identifier: MIT
// How the owner of a host reaches it: by sockets of his own, or by ports, and then he is told that others can connect.
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { accessIn, exposure, findAccess } from '../../../runner/host/access.ts';
import { folder } from '../../helpers/cli.ts';

const OPTIONS = { kernel: '6.12', certDir: '/nowhere' } as const;
const REFUSES = `#!/bin/sh
echo "unshare: unshare failed: Operation not permitted" >&2
exit 1
`;
const ALLOWS = `#!/bin/sh
exit 0
`;

describe('the access to a host', () => {
  const { XDG_STATE_HOME: home, PATH: path } = process.env;
  beforeEach(() => {
    process.env.XDG_STATE_HOME = '/tmp/state';
  });
  afterEach(() => {
    process.env.PATH = path;
    if (home === undefined) delete process.env.XDG_STATE_HOME;
    else process.env.XDG_STATE_HOME = home;
  });

  /** As on a machine whose unshare does this. */
  function machine(unshare: string): Disposable {
    const files = folder({ unshare });
    chmodSync(files.path('unshare'), 0o755);
    process.env.PATH = `${files.path('')}:${process.env.PATH}`;
    return files;
  }

  it('is by sockets in the folder of its state, where QEMU can have a network of its own', async () => {
    using _ = machine(ALLOWS);
    const access = await findAccess(OPTIONS);
    assert.equal(access?.docker, 'unix:///tmp/state/afbus-topo/host-6.12/docker.sock');
    assert.equal(access?.channel, 'unix:///tmp/state/afbus-topo/host-6.12/channel.sock');
    assert.deepEqual(access?.command(['qemu', '-version'])[0], 'unshare');
    assert.equal(access?.exposed, undefined);
    assert.equal(exposure('6.12'), null);
  });

  it('is by sockets while its image is built, too', async () => {
    using _ = machine(ALLOWS);
    const access = await accessIn('/tmp/work', '/nowhere');
    assert.equal(access?.channel, 'unix:///tmp/work/channel.sock');
    assert.deepEqual(access?.command(['qemu', '-version']).slice(-2), ['qemu', '-version']);
    assert.equal(access?.command(['qemu'])[0], 'unshare');
  });

  it('is by ports if QEMU cannot have one, and says what to do', async () => {
    using _ = machine(REFUSES);
    const access = await findAccess(OPTIONS);
    assert.match(access?.docker ?? '', /^tcp:\/\/127\.0\.0\.1:\d+$/);
    assert.deepEqual(access?.command(['qemu', '-version']), ['qemu', '-version']);
    assert.match(
      access?.exposed?.why ?? '',
      /^it can have no network of its own here \(unshare: .*Operation not permitted\)$/,
    );
    assert.match(access?.exposed?.hint ?? '', /user namespaces/);
    assert.deepEqual(exposure('6.12'), access?.exposed);
  });

  for (const name of ['with space', 'jürgen'])
    it(`is by ports if a URL cannot hold the path of a socket: ${name}`, async () => {
      using _ = machine(ALLOWS);
      process.env.XDG_STATE_HOME = `/tmp/${name}`;
      assert.match((await findAccess(OPTIONS))?.exposed?.why ?? '', /DOCKER_HOST as a URL/);
    });

  it('is by ports if the path of a socket would be too long', async () => {
    using _ = machine(ALLOWS);
    process.env.XDG_STATE_HOME = `/tmp/${'long'.repeat(25)}`;
    assert.match((await findAccess(OPTIONS))?.exposed?.why ?? '', /has more than 107 bytes: \/tmp\/long/);
    assert.equal(exposure('6.12')?.hint, 'choose a shorter XDG_STATE_HOME');
  });

  it('is by ports if one is asked for', async () => {
    using _ = machine(ALLOWS);
    const access = await findAccess({ ...OPTIONS, port: 0 });
    assert.equal(access?.docker, `tcp://127.0.0.1:${access?.ports.docker}`);
    assert.equal(access?.exposed?.why, 'it was started with --port');
  });
});
