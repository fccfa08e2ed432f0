// SPDX-License-Identifier: MIT
// What the project's own files say, and what the model expects of them, is the same.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'mocha';
import { load, renderDiagnostics } from '../../../runner/load/index.ts';
import { plan } from '../../../runner/plan/index.ts';
import type { SendStep, Step, Topology } from '../../../runner/topology/topology.ts';
import { short } from './predicted.ts';

const FOLDER = new URL('../../../topologies/', import.meta.url).pathname;
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.topo.yaml'));

/** The same file with nothing expected of its sends. */
function unwritten(topology: Topology): Topology {
  const bare = (step: Step): Step => {
    if (step.kind === 'parallel') return { ...step, branches: step.branches.map((each) => each.map(bare)) };
    return step.kind === 'send' ? { ...step, expect: {} } : step;
  };
  return { ...topology, steps: topology.steps.map(bare) };
}

const steps = (list: readonly Step[]): SendStep[] =>
  list.flatMap((step) => {
    if (step.kind === 'parallel') return step.branches.flatMap(steps);
    return step.kind === 'send' ? [step] : [];
  });

describe('predictions for topologies', () => {
  for (const file of files) {
    it(`${file.replace('.topo.yaml', '')} expects what the model does`, () => {
      const { topologies, diagnostics, sources } = load(FOLDER + file);
      assert.equal(renderDiagnostics(diagnostics, sources), '');
      for (const topology of topologies) {
        const inOrder = new Set(topology.steps.flatMap((step) => (step.kind === 'send' ? [step.id] : [])));
        const written = plan(topology, { seed: 1 }).messages;
        const modelled = plan(unwritten(topology), { seed: 1 }).messages;
        // Sends in order have one outcome, so what is written can only be that one.
        for (const [n, message] of written.entries()) {
          if (inOrder.has(message.step))
            assert.equal(short(message), short(modelled[n] ?? message), message.name);
        }
      }
    });
  }

  it('leave some expectations to the model, and have some of their own', () => {
    const all = files.flatMap((file) => load(FOLDER + file).topologies.flatMap((each) => steps(each.steps)));
    const said = all.filter(({ expect }) => expect.error !== undefined || expect.recipients !== undefined);
    assert.ok(said.length > 20 && all.length - said.length > 40, `${said.length} of ${all.length}`);
  });
});
