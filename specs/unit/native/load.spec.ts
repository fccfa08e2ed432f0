// SPDX-License-Identifier: MIT
// Where the addon is looked for, and what is said where there is none.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { AddonLoadError } from '../../../native/lib/index.ts';
import { candidatePaths, loadAddon } from '../../../native/lib/load.ts';

const LIB = fileURLToPath(new URL('../../../native/lib', import.meta.url));

describe('addon loader', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'afbus-load-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('looks at $AFBUS_NATIVE first, then beside a bundle, and at no file of the program that uses it', () => {
    const paths = candidatePaths(
      { AFBUS_NATIVE: '/x/y.node' },
      'file:///opt/app/agent.cjs',
      '/opt/other/main.js',
    );
    assert.deepEqual(paths, ['/x/y.node', '/opt/app/native/afbus.node']);
  });

  it('looks in the build folder of the package, from sources, dist and the bundle of the command alike', () => {
    for (const module of ['native/lib/load.ts', 'dist/native/lib/load.js', 'dist/runner/bundle/chunk-X.js']) {
      const paths = candidatePaths({}, `file:///p/${module}`, '/home/main.js');
      assert.equal(paths.at(-1), '/p/build/native/afbus.node');
      assert.ok(paths.every((path) => path.startsWith('/p/')));
    }
  });

  it('a bundle that is no ES module looks beside its script', () => {
    assert.deepEqual(candidatePaths({}, null, '/opt/app/agent.cjs'), ['/opt/app/native/afbus.node']);
  });

  it('says in one line that it is not built, and what builds it', () => {
    const absent = join(folder, 'build/native/afbus.node');
    assert.throws(() => loadAddon([absent]), {
      code: 'ERR_AFBUS_ADDON',
      message: `the native addon is not built: run "npm --prefix ${folder} run build:native"`,
    });
  });

  it('says why an existing addon cannot be loaded, and lists every path tried', () => {
    const broken = join(folder, 'broken.node');
    writeFileSync(broken, 'no addon');
    const paths = [join(folder, 'absent.node'), broken];
    assert.throws(
      () => loadAddon(paths),
      (error: AddonLoadError) => {
        assert.ok(error instanceof AddonLoadError);
        assert.deepEqual(
          error.attempts.map(({ path }) => path),
          paths,
        );
        assert.match(
          error.message,
          /^the native addon cannot be loaded \(\S+broken\.node: .*(ELF|too short).*\): put it beside the program.*$/,
        );
        return true;
      },
    );
  });

  it('the package gives the binding to those who import it by name', async () => {
    const name = 'afbus-topo/native';
    const native = await import(name);
    assert.equal(typeof native.BusClient.connect, 'function');
    assert.equal(typeof native.isSupported().supported, 'boolean');
  });

  it('without the addon, importing works and isSupported() tells why not', async () => {
    cpSync(LIB, join(folder, 'lib'), { recursive: true });
    const native = await import(pathToFileURL(join(folder, 'lib/index.ts')).href);
    assert.equal(native.formatAddress(1, 2), '0001/000000000002');
    const support = native.isSupported();
    assert.equal(support.supported, false);
    assert.match(support.reason, /^the native addon is not built: .*$/);
    await assert.rejects(native.BusClient.connect('/run/none'), { code: 'ERR_AFBUS_ADDON' });
    await assert.rejects(native.BusMaster.listen('/run/none'), { code: 'ERR_AFBUS_ADDON' });
  });
});
