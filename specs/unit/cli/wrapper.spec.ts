// SPDX-License-Identifier: MIT
// The command runs under the Node that npm brought along, whichever is in PATH; one that is too old says so.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
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
  copyFileSync(`${BIN}afbus-topo`, make('lib/afbus-topo/bin/afbus-topo'));
  symlinkSync('../lib/afbus-topo/bin/afbus-topo', make('.bin/afbus-topo'));
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
      'lib/afbus-topo/node_modules/node/bin/node': 'below',
      'lib/node/bin/node': 'beside',
    });
    assert.equal(its.run('run', 'a b'), 'below /lib/afbus-topo/bin/afbus-topo.js run a b\n');
  });

  it('runs under the one beside it, where npm has put it there', () => {
    using its = packaged({ 'lib/node/bin/node': 'beside' });
    assert.match(its.run('ps'), /^beside .*afbus-topo\.js ps$/m);
  });

  it('runs under the one in PATH, where npm has brought none', () => {
    using its = packaged({});
    assert.match(its.run('ps'), /^in PATH .*afbus-topo\.js ps$/m);
  });

  it('of the checkout has the exit code of what it does', () => {
    const code = (...args: string[]) => spawnSync(`${BIN}afbus-topo`, args).status;
    assert.deepEqual([code('version'), code('validate', '/nowhere')], [0, 2]);
  });

  it('says that a Node is too old, and what to do', () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--import', OLD, `${BIN}afbus-topo.js`, 'version'],
      { encoding: 'utf8' },
    );
    assert.equal(status, 4);
    assert.match(stderr, /needs Node 24 or newer; this is v.*\nhint: start bin\/afbus-topo:/);
  });
});
