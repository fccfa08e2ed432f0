// SPDX-License-Identifier: MIT
// Who shares a process: clients of one node and user, a number at a time, but none that a step signals or limits.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { load } from '../../../runner/load/index.ts';
import { plan } from '../../../runner/plan/index.ts';

function packs(launcher: string): Record<string, string[]> {
  const source = `${launcher}
buses: { cabin: {} }
clients: { a: { replicas: 5 }, b: { user: "1:1", replicas: 2 }, mortal: {}, again: {}, poor: {} }
traffic:
  - parallel:
      - fault: { kill: mortal }
  - fault: { restart: again }
  - fault: { limit: poor, fds: 3 }`;
  const { topology } = load('spec.topo.yaml', { source });
  assert.ok(topology);
  const found: Record<string, string[]> = {};
  for (const { name, pack } of plan(topology, { seed: 1 }).agents) {
    const key = pack ?? 'alone';
    found[key] = [...(found[key] ?? []), name];
  }
  return found;
}

describe('packs', () => {
  it('join clients of one kind that no step signals, limits or starts', () => {
    assert.deepEqual(packs('launcher: { process: { pack: 2 } }'), {
      alone: ['cabin.master', 'mortal', 'again', 'poor', 'again.2'],
      'clients-0-0-0': ['a-0', 'a-1'],
      'clients-0-0-1': ['a-2', 'a-3'],
      'clients-0-0-2': ['a-4'],
      'clients-1-1-0': ['b-0', 'b-1'],
    });
  });

  it('do not exist unless asked for', () => {
    for (const launcher of ['', 'launcher: process', 'launcher: { process: { pack: 1 } }'])
      assert.deepEqual(Object.keys(packs(launcher)), ['alone'], launcher);
  });
});
