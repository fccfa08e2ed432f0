// SPDX-License-Identifier: MIT
/** What the model expects of a topology, in short: `b c?` is b and perhaps c, `| EAGAIN` that it may fail so. */
import assert from 'node:assert/strict';
import { load, renderDiagnostics } from '../../../runner/load/index.ts';
import { plan } from '../../../runner/plan/index.ts';
import type { PlannedMessage } from '../../../runner/plan/plan.ts';
import type { Topology } from '../../../runner/topology/topology.ts';
import { leftToModel } from '../../helpers/left-to-model.ts';

const loaded = (source: string) => {
  const { topology, contradictions, diagnostics, sources } = load('spec.topo.yaml', {
    source: leftToModel(source),
  });
  assert.ok(topology !== undefined, renderDiagnostics(diagnostics, sources));
  return { topology, contradictions: contradictions.get(topology) };
};

export const topologyOf = (source: string): Topology => loaded(source).topology;

export function messagesOf(source: string): readonly PlannedMessage[] {
  const { topology, contradictions } = loaded(source);
  return plan(topology, { seed: 1, contradictions }).messages;
}

export function short({ expected }: PlannedMessage): string {
  const or = expected.or ?? [];
  if (expected.kind === 'error') return [expected.errno, ...or].toSorted().join(' | ');
  const may = (expected.may ?? []).map((lane) => `${lane}?`);
  return [[...expected.lanes.toSorted(), ...may.toSorted()].join(' ') || 'nobody', ...or.toSorted()].join(
    ' | ',
  );
}

/** One text a message; with runs of the same as `b ×3`. */
export function predicted(source: string): string[] {
  const runs: { text: string; count: number }[] = [];
  for (const message of messagesOf(source)) {
    const text = short(message);
    const last = runs.at(-1);
    if (last?.text === text) last.count++;
    else runs.push({ text, count: 1 });
  }
  return runs.map(({ text, count }) => (count === 1 ? text : `${text} ×${count}`));
}

/** Clients a and b in group g, c in g and not joined, m who reads on demand, w who watches where asked for. */
export const bus = (settings: string, traffic: string, others = ''): string => `
buses: { cabin: { ${settings} } }
groups: { g: { prefix: 1 } }
clients: { a: { groups: [g] }, b: { groups: [g] }, c: { groups: [g], join: false }, m: { receive: manual }${others} }
traffic:
${traffic}`;
