// SPDX-License-Identifier: MIT
// bin/setup installs what others have published: it runs no code of theirs while it does so, and knows every file's sum.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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

describe('bin/setup', () => {
  it('runs no install script of a package', () => {
    using files = folder({});
    for (const name of ['bin', 'package', ...['runner', 'daemon', 'dbus', 'native/lib', 'images/scratch']])
      mkdirSync(files.path(name), { recursive: true });
    copyFileSync(inProject('bin/setup'), files.path('bin/setup'));
    const write = (name: string, data: unknown) => writeFileSync(files.path(name), JSON.stringify(data));
    write('package/package.json', STRANGER);
    execFileSync('tar', ['-czf', 'stranger.tgz', 'package'], { cwd: files.path('') });
    const dependencies = { stranger: 'file:stranger.tgz' };
    const scripts = Object.fromEntries(BUILDS.map((name) => [name, 'true']));
    const root = { name: 'project', version: '1.0.0', dependencies };
    write('package.json', { ...root, scripts });
    const { version } = STRANGER;
    const stranger = { version, resolved: dependencies.stranger, hasInstallScript: true };
    const packages = { '': root, 'node_modules/stranger': stranger };
    write('package-lock.json', { ...root, lockfileVersion: 3, packages });
    const { status, stderr } = spawnSync('sh', [files.path('bin/setup'), 'unit'], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.ok(existsSync(files.path('node_modules/stranger/package.json')));
    assert.ok(!existsSync(files.path('ran')));
  });

  it('installs only packages whose sums are in the lock file', () => {
    const lock = JSON.parse(readFileSync(inProject('package-lock.json'), 'utf8')) as Lock;
    const packages = Object.entries(lock.packages).filter(([place]) => place !== '');
    assert.ok(packages.length > 100);
    for (const [place, { integrity }] of packages) assert.match(integrity ?? '', /^sha512-/, place);
  });
});
