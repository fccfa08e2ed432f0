// SPDX-License-Identifier: MIT
// The command runs under the Node of its checkout, else under the one in PATH; one that is too old says so.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';
import { folder } from '../../helpers/cli.ts';

const BIN = fileURLToPath(new URL('../../../bin/', import.meta.url));
/** What the command looks at. */
const OLD = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.0.0'}})`;

/** A Node that only says whose it is, and what it was given. */
const node = (whose: string) => `#!/bin/sh\necho ${whose} "$@"\n`;

/** The command of a package of its own, with these files of other packages. */
function packaged(nodes: Readonly<Record<string, string>>) {
  const files = folder({});
  const make = (path: string) => {
    mkdirSync(files.path(path.replace(/\/[^/]*$/, '')), { recursive: true });
    return files.path(path);
  };
  copyFileSync(`${BIN}afbus-topo`, make('node_modules/afbus-topo/bin/afbus-topo'));
  symlinkSync('../node_modules/afbus-topo/bin/afbus-topo', make('.bin/afbus-topo'));
  for (const [path, whose] of Object.entries({ 'path/node': 'in PATH', ...nodes })) {
    writeFileSync(make(path), node(whose));
    chmodSync(files.path(path), 0o755);
  }
  const run = (...args: string[]) =>
    spawnSync(files.path('.bin/afbus-topo'), args, {
      encoding: 'utf8',
      env: { PATH: `${files.path('path')}:${process.env.PATH}` },
    }).stdout.replaceAll(files.path(''), '');
  return { run, [Symbol.dispose]: () => files[Symbol.dispose]() };
}

describe('the command', () => {
  it('runs under the Node below it, with its arguments as they are', () => {
    using its = packaged({
      'node_modules/afbus-topo/node_modules/node/bin/node': 'below',
      'node_modules/node/bin/node': 'beside',
    });
    assert.equal(its.run('run', 'a b'), 'below /node_modules/afbus-topo/bin/afbus-topo.js run a b\n');
  });

  it('of a checkout runs no program from the folder beside it', () => {
    using files = folder({});
    const at = (path: string) => {
      mkdirSync(files.path(path.replace(/\/[^/]*$/, '')), { recursive: true });
      return files.path(path);
    };
    copyFileSync(`${BIN}afbus-topo`, at('checkout/bin/afbus-topo'));
    for (const [path, whose] of [
      ['node/bin/node', 'beside'],
      ['path/node', 'in PATH'],
    ] as const) {
      writeFileSync(at(path), node(whose));
      chmodSync(files.path(path), 0o755);
    }
    const env = { PATH: `${files.path('path')}:${process.env.PATH}` };
    const { stdout } = spawnSync(files.path('checkout/bin/afbus-topo'), ['ps'], { encoding: 'utf8', env });
    assert.match(stdout, /^in PATH /);
  });

  it('runs under the Node in PATH if there is none below it, even if one lies beside it', () => {
    using its = packaged({ 'node_modules/node/bin/node': 'beside' });
    assert.match(its.run('ps'), /^in PATH .*afbus-topo\.js ps$/m);
  });

  it('of the checkout has the exit code of what it does', () => {
    const code = (...args: string[]) => spawnSync(`${BIN}afbus-topo`, args).status;
    assert.deepEqual([code('version'), code('validate', '/nowhere')], [0, 2]);
  });

  describe('keeps compiled code', () => {
    const started = (env: Readonly<Record<string, string>>) =>
      spawnSync(process.execPath, [`${BIN}afbus-topo.js`, 'version'], {
        encoding: 'utf8',
        env: { PATH: process.env.PATH ?? '', ...env },
      });

    it('in a folder of its own, never in the temporary one', () => {
      using files = folder({});
      for (const name of ['tmp', 'cache']) mkdirSync(files.path(name));
      const { status } = started({ TMPDIR: files.path('tmp'), XDG_CACHE_HOME: files.path('cache') });
      assert.equal(status, 0);
      assert.deepEqual(readdirSync(files.path('tmp')), []);
      assert.notDeepEqual(readdirSync(files.path('cache/afbus-topo/compile')), []);
      assert.equal(statSync(files.path('cache/afbus-topo/compile')).mode & 0o777, 0o700);
    });

    it('nowhere, where another may write to the folder or to one above it', () => {
      for (const open of ['cache', 'cache/afbus-topo', 'cache/afbus-topo/compile']) {
        using files = folder({});
        mkdirSync(files.path('tmp'));
        mkdirSync(files.path('cache/afbus-topo/compile'), { recursive: true });
        chmodSync(files.path(open), 0o777);
        const { status } = started({ TMPDIR: files.path('tmp'), XDG_CACHE_HOME: files.path('cache') });
        assert.equal(status, 0);
        assert.deepEqual(readdirSync(files.path('tmp')), []);
        assert.deepEqual(readdirSync(files.path('cache/afbus-topo/compile')), [], open);
      }
    });
  });

  it('says that a Node is too old, and what to do', () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--import', OLD, `${BIN}afbus-topo.js`, 'version'],
      { encoding: 'utf8' },
    );
    assert.equal(status, 4);
    assert.match(stderr, /needs Node 24 or newer; this is v.*\nhint: put a newer one into PATH;/);
  });
});
