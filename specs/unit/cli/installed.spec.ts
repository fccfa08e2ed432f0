// SPDX-License-Identifier: MIT
// The package, as npm installs it: it plays simulated, and says in one line what it cannot.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { after, before, describe, it } from 'mocha';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const QUICKSTART = join(ROOT, 'topologies/quickstart.topo.yaml');
const REQUIRE = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";

describe('the installed package', function () {
  this.timeout(60_000);
  let folder = '';

  /** What is in the tarball, with its dependencies beside it. */
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'afbus-installed-'));
    const own = join(folder, 'node_modules/afbus-topo');
    mkdirSync(own, { recursive: true });
    for (const part of ['bin', 'images', 'docs', 'Dockerfile', 'package.json'])
      cpSync(join(ROOT, part), join(own, part), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(own, 'node_modules'));
    await build({
      entryPoints: [join(ROOT, 'runner/cli/main.ts')],
      outdir: join(own, 'dist/runner/bundle'),
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      target: 'node24',
      external: ['testcontainers', 'dockerode'],
      banner: { js: REQUIRE },
      logLevel: 'warning',
    });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const run = (...args: string[]) => {
    const command = join(folder, 'node_modules/afbus-topo/bin/afbus-topo');
    const env = { ...process.env, XDG_STATE_HOME: join(folder, 'state') };
    const { status, stdout, stderr } = spawnSync(command, args, {
      env,
      encoding: 'utf8',
    });
    return { code: status, stdout, stderr };
  };

  it('plays on the simulated bus', () => {
    assert.equal(run('run', '--quiet', '--backend', 'sim', QUICKSTART).code, 0);
  });

  it('says that the kernel backends need a checkout', () => {
    const { code, stderr } = run('run', '--quiet', '--backend', 'vm', '--launcher', 'process', QUICKSTART);
    assert.equal(code, 4);
    assert.match(
      stderr,
      /^error: the installed package cannot use the kernel backends: .* source checkout.*\nhint: .*--backend sim.*\n$/,
    );
  });

  it('says what builds the binding', () => {
    const { stdout } = run('doctor');
    assert.match(
      stdout,
      /the native addon is not built: run "npm --prefix \S+\/node_modules\/afbus-topo run build:native"/,
    );
  });
});
