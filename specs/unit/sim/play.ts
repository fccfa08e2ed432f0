// SPDX-License-Identifier: MIT
/** Plays a topology on the simulated bus, by the same way as the command. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Deadline } from '../../../runner/common/deadline.ts';
import { SILENT } from '../../../runner/common/progress.ts';
import { load, renderDiagnostics } from '../../../runner/load/index.ts';
import { type Played, play } from '../../../runner/pipeline.ts';
import { plan } from '../../../runner/plan/index.ts';
import { type SimOptions, simSite } from '../../../runner/sim/index.ts';
import type { Verdict } from '../../../runner/verdict/verdict.ts';
import { leftToModel } from '../../helpers/left-to-model.ts';

/** A file's verdict, plan and trace; `timeout` in simulated ms. */
export function playFile(file: string, options: SimOptions, timeout = 120_000): Promise<Played> {
  const { topology, contradictions, diagnostics, sources } = load(file);
  assert.ok(topology, renderDiagnostics(diagnostics, sources));
  const planned = plan(topology, { seed: options.seed, contradictions: contradictions.get(topology) });
  const site = simSite(options);
  return play(planned, site, {
    deadline: new Deadline(timeout, site.clock),
    keep: false,
    signal: new AbortController().signal,
    progress: SILENT,
    warnings: diagnostics,
  });
}

/** The same for a topology given as text; sends of which it says nothing are left to the model. */
export async function playText(yaml: string, options: SimOptions, timeout?: number): Promise<Played> {
  const folder = mkdtempSync(join(tmpdir(), 'afbus-sim-'));
  try {
    const file = join(folder, 'test.topo.yaml');
    writeFileSync(file, leftToModel(yaml));
    return await playFile(file, options, timeout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What went wrong, in a line each; empty for a pass, and for a run that delivered nothing. */
export const complaints = ({ result, checks, reason }: Verdict): string[] => [
  ...(result === 'error' && reason !== undefined ? [reason] : []),
  ...checks.flatMap((c) => c.failures.map((f) => `${c.name}: ${f.summary} (step ${f.step})`)),
];
