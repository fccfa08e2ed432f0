// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { load, renderDiagnostics } from '../../../runner/load/index.ts';
import type { SendStep, Step, Topology } from '../../../runner/topology/topology.ts';

/** The topology that a text comes to; what is wrong with it is the failure's text. */
export function ok(source: string): Topology {
  const { topology, diagnostics, sources } = load('spec.topo.yaml', { source });
  assert.ok(topology !== undefined, renderDiagnostics(diagnostics, sources));
  return topology;
}

/** Messages of errors and warnings, by line. */
export function complaints(source: string): string[] {
  return load('spec.topo.yaml', { source }).diagnostics.map(
    ({ line, severity, message }) => `${line} ${severity}: ${message}`,
  );
}

const PARTIES = `buses: { cabin: {} }
groups: { g: { prefix: 1 } }
clients: { a: {}, b: { groups: [g] }, c: { groups: [g], join: false }, m: { receive: manual } }
traffic:`;

/** Steps on a bus with clients a, b (in group g), c (in g, not joined) and m (reads on demand). */
export const steps = (traffic: string): readonly Step[] => ok(`${PARTIES}\n  ${traffic.trim()}`).steps;

/** The traffic of `steps`, as a file. */
export const withParties = (traffic: string): string => `${PARTIES}\n  ${traffic.trim()}`;

export function send(text: string): SendStep {
  const [step] = steps(`- ${text}`);
  assert.ok(step?.kind === 'send');
  return step;
}
