// SPDX-License-Identifier: MIT
// Whose run is left over: on an engine that several machines share, no run of another may count as one.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { describe, it } from 'mocha';
import { isOrphan, ownership } from '../../../runner/provision/labels.ts';

const run = (kept = false) => ownership('0000000a', 'chat', '/x', kept);
/** The process id of one that has ended. */
const ENDED = String(spawnSync('true').pid);

describe('a run', () => {
  const [pid = '', boot = '', machine = '', namespace = ''] = run().owner.split('@');
  const isLeft = (...owner: readonly string[]) => isOrphan({ ...run(), owner: owner.join('@') });

  it('is left over if its runner has ended, or its machine has booted again', () => {
    assert.ok(isLeft(ENDED, boot, machine, namespace));
    assert.ok(isLeft(pid, 'another', machine, namespace));
  });

  it('is not left over while its runner lives, or if it was to stay up', () => {
    assert.ok(!isLeft(pid, boot, machine, namespace));
    assert.ok(!isOrphan({ ...run(true), owner: [ENDED, boot, machine, namespace].join('@') }));
  });

  it('is not left over for a machine that has only the name of its own', () => {
    assert.ok(!isLeft(pid, 'another', hostname(), namespace));
    assert.ok(!isLeft(pid, 'another', 'another', namespace));
  });

  it('is not left over for a container that has the name of its machine', () => {
    assert.ok(!isLeft(ENDED, boot, machine, 'pid:[1]'));
  });
});
