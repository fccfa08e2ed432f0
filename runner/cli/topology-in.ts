// SPDX-License-Identifier: MIT
import { EXIT } from '../common/errors.ts';
import { renderDiagnostics } from '../load/index.ts';
import type { Topology } from '../topology/topology.ts';
import { wantsColor } from '../write/paint.ts';
import { loadInput } from './input.ts';

/** The topologies in a file, one a combination; where there is none, all that is wrong is said and the exit code set. */
export function topologiesIn(file: string, set: Readonly<Record<string, string>> = {}): readonly Topology[] {
  const { topologies, diagnostics, sources } = loadInput(file, { ...(set && { set }) });
  const color = wantsColor(process.stderr, process.env);
  process.stderr.write(renderDiagnostics(diagnostics, sources, { color }));
  if (topologies.length === 0) process.exitCode = EXIT.invalid;
  return topologies;
}
