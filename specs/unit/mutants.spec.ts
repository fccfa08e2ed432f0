// SPDX-License-Identifier: MIT
// The mutants of kernel/mutants/ still apply, and name a topology, a check and a self-test that exist.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { mutants } from '../mutants/mutant.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const CHECKS = [...readFileSync(`${ROOT}docs/topology.md`, 'utf8').matchAll(/^\| `([a-z.]+)` \|/gm)].map(
  ([, name]) => name,
);
const TESTS = readdirSync(`${ROOT}kernel/tests`)
  .filter((name) => name.endsWith('.c'))
  .map((name) => readFileSync(`${ROOT}kernel/tests/${name}`, 'utf8'))
  .join('\n');

describe('a mutant of the kernel modules', () => {
  for (const { name, file, fault, topology, check, selfTest } of mutants()) {
    it(`${name} applies, and names what kills it`, () => {
      const argv = ['--strip=1', '--fuzz=0', '--dry-run', '--quiet', `--input=${file}`];
      const { status, stdout } = spawnSync('patch', argv, { cwd: `${ROOT}kernel`, encoding: 'utf8' });
      assert.equal(status, 0, `${file} does not apply any more:\n${stdout}`);
      assert.match(fault, /^[A-Z].*\.$/);
      assert.ok(existsSync(`${ROOT}topologies/${topology}.topo.yaml`), topology);
      assert.ok(CHECKS.includes(check), check);
      if (selfTest !== undefined) assert.match(TESTS, new RegExp(`^TEST[A-Z_]*\\(${selfTest}[,)]`, 'm'));
    });
  }

  it('exists 30 times at least', () => {
    assert.ok(mutants().length >= 30);
  });
});
