// SPDX-License-Identifier: MIT
// bin/setup installs what others have published: it runs no code of theirs while it does so, and knows every file's sum.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { inProject } from '../../../runner/host/paths.ts';
import { folder } from '../../helpers/cli.ts';

interface Lock {
  readonly packages: Readonly<Record<string, { readonly integrity?: string }>>;
}

const BUILDS = ['build:dist', 'build:agent', 'build:cli'];
const STRANGER = {
  name: 'stranger',
  version: '1.0.0',
  scripts: { preinstall: 'touch ../../ran', install: 'touch ../../ran', postinstall: 'touch ../../ran' },
};

/** A folder with the script and all that it looks at, in which the builds are these, or do nothing. */
function project(scripts: Readonly<Record<string, string>>) {
  const files = folder({});
  for (const name of ['bin', 'node_modules', 'runner', 'daemon', 'dbus', 'native/lib', 'images/scratch'])
    mkdirSync(files.path(name), { recursive: true });
  copyFileSync(inProject('bin/setup'), files.path('bin/setup'));
  const root = {
    ...{ name: 'project', version: '1.0.0' },
    scripts: { ...Object.fromEntries(BUILDS.map((name) => [name, 'true'])), ...scripts },
  };
  writeFileSync(files.path('package.json'), JSON.stringify(root));
  // The packages of its lock file are installed: there are none.
  for (const name of ['package-lock.json', 'node_modules/.package-lock.json'])
    writeFileSync(files.path(name), JSON.stringify({ ...root, lockfileVersion: 3, packages: { '': root } }));
  return { ...files, root };
}

describe('bin/setup', () => {
  it('runs no install script of a package', () => {
    using files = project({});
    rmSync(files.path('node_modules'), { recursive: true });
    mkdirSync(files.path('package'));
    const write = (name: string, data: unknown) => writeFileSync(files.path(name), JSON.stringify(data));
    write('package/package.json', STRANGER);
    execFileSync('tar', ['-czf', 'stranger.tgz', 'package'], { cwd: files.path('') });
    const dependencies = { stranger: 'file:stranger.tgz' };
    const root = { ...files.root, dependencies };
    write('package.json', root);
    const { version } = STRANGER;
    const stranger = { version, resolved: dependencies.stranger, hasInstallScript: true };
    const packages = { '': root, 'node_modules/stranger': stranger };
    write('package-lock.json', { ...root, lockfileVersion: 3, packages });
    const { status, stderr } = spawnSync('sh', [files.path('bin/setup'), 'unit'], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.ok(existsSync(files.path('node_modules/stranger/package.json')));
    assert.ok(!existsSync(files.path('ran')));
  });

  it('waits, and says so, while another one builds in the same folder', async () => {
    using files = project({ 'build:dist': 'touch built' });
    const lock = files.path('build/setup.lock');
    mkdirSync(files.path('build'));
    writeFileSync(lock, '', { mode: 0o600 });
    const other = spawn('flock', [lock, 'sh', '-c', 'echo; exec cat'], { stdio: ['pipe', 'pipe', 'ignore'] });
    try {
      await once(other.stdout, 'data');
      const setup = spawn('sh', [files.path('bin/setup'), 'unit'], { stdio: ['ignore', 'ignore', 'pipe'] });
      const ended = once(setup, 'exit');
      const [said] = await once(setup.stderr.setEncoding('utf8'), 'data');
      assert.equal(said, '… setup     waiting for another setup of this folder\n');
      assert.ok(!existsSync(files.path('built')));
      other.stdin.end();
      assert.deepEqual(await ended, [0, null]);
      assert.ok(existsSync(files.path('built')));
    } finally {
      other.stdin.end();
    }
  });

  it('is held up by no other user, who cannot open its lock', () => {
    using files = project({});
    assert.equal(spawnSync('sh', [files.path('bin/setup'), 'unit']).status, 0);
    assert.equal(statSync(files.path('build/setup.lock')).mode & 0o777, 0o600);
  });

  it('installs only packages whose sums are in the lock file', () => {
    const lock = JSON.parse(readFileSync(inProject('package-lock.json'), 'utf8')) as Lock;
    const packages = Object.entries(lock.packages).filter(([place]) => place !== '');
    assert.ok(packages.length > 100);
    for (const [place, { integrity }] of packages) assert.match(integrity ?? '', /^sha512-/, place);
  });
});
