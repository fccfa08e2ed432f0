// SPDX-License-Identifier: MIT
// What `ps` says of runs that nobody plays any more.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'mocha';
import { inJson, leftOvers } from '../../../runner/cli/ps.ts';
import { ownership } from '../../../runner/provision/labels.ts';

const ENDED = spawnSync('true').pid;
const where = { backend: 'vm', kernel: '6.12' } as const;

/** As `ps` finds it, of this runner. */
function found(pid: number, kept: boolean) {
  const owner = ownership('0000000a', 'chat', '/x', kept);
  const its = owner.owner.replace(/^\d+/, String(pid));
  const node = { name: 'here', state: 'running', id: '1' };
  return {
    backend: { where: where as never },
    run: { ...owner, owner: its, launcher: 'process' as const, nodes: [node] },
  };
}

describe('ps', () => {
  it('says whose runner was killed, and what to do', () => {
    const [line, ...others] = leftOvers([found(ENDED, false)]);
    assert.deepEqual(others, []);
    assert.match(
      line ?? '',
      /^the runner of chat \(run 0000000a\) was killed: .*"afbus-topo down 0000000a"$/,
    );
    assert.equal(inJson(found(ENDED, false)).leftover, true);
  });

  it('says nothing of a run that is played, or that `up` has left', () => {
    const lively = [found(process.pid, false), found(ENDED, true)];
    assert.deepEqual(leftOvers(lively), []);
    assert.deepEqual(
      lively.map((each) => inJson(each).leftover),
      [false, false],
    );
  });
});
