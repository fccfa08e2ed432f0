// SPDX-License-Identifier: MIT
import { EXIT } from '../common/errors.ts';
import { renderDiagnostics } from '../load/index.ts';
import type { Topology } from '../topology/topology.ts';
import { wantsColor } from '../write/paint.ts';
import { loadInput } from './input.ts';

/**
 * The topologies in a file, one per combination. If there are mistakes it prints them, sets the exit code, and returns
 * none.
 */
export function topologiesIn(file: string, set: Readonly<Record<string, string>> = {}): readonly Topology[] {
  const { topologies, diagnostics, sources } = loadInput(file, { ...(set && { set }) });
  const color = wantsColor(process.stderr, process.env);
  process.stderr.write(renderDiagnostics(diagnostics, sources, { color }));
  if (topologies.length === 0) process.exitCode = EXIT.invalid;
  return topologies;
}
