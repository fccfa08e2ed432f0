// SPDX-License-Identifier: MIT

import { EXIT } from '../common/errors.ts';
import { neutral, neutralJson } from '../common/neutral.ts';
import { count } from '../common/text.ts';
import { type Loaded, renderDiagnostics } from '../load/index.ts';
import type { Topology } from '../topology/topology.ts';
import { annotate } from '../write/github.ts';
import { wantsColor } from '../write/paint.ts';
import { sarifOfFiles } from './findings.ts';
import { type InputFlags, loadInput } from './input.ts';

/** `validate`: prints every diagnostic of every file; loads neither Docker code nor the binding. */
export function validate(
  files: readonly string[],
  flags: InputFlags & { format: 'text' | 'json' | 'github' | 'sarif' },
): void {
  const loaded = files.map((file) => loadInput(file, flags));
  const diagnostics = loaded.flatMap((l) => l.diagnostics);
  if (flags.format === 'json')
    console.log(neutralJson({ schemaVersion: 1, files: files.length, diagnostics }, 2));
  else if (flags.format === 'github') for (const each of diagnostics) console.log(annotate(each));
  else if (flags.format === 'sarif') process.stdout.write(sarifOfFiles(diagnostics));
  else text(loaded);
  if (loaded.some((l) => l.topology === undefined)) process.exitCode = EXIT.invalid;
}

function text(loaded: readonly (Loaded & { file: string })[]): void {
  for (const { file, topology, topologies, diagnostics, sources } of loaded) {
    if (diagnostics.length)
      console.error(
        renderDiagnostics(diagnostics, sources, {
          color: wantsColor(process.stderr, process.env),
        }),
      );
    if (!topology) continue;
    if (topologies.length > 1) {
      console.log(`${neutral(file)}: valid in ${topologies.length} combinations`);
      continue;
    }
    console.log(`${neutral(file)}: ${summary(topology)}`);
  }
}

function summary({ name, buses, clients, messageBuses, steps }: Topology): string {
  const all = buses.length + (messageBuses?.buses.length ?? 0);
  const onMessageBuses = [...(messageBuses?.clients ?? []), ...(messageBuses?.programs ?? [])];
  const there = clients.length + onMessageBuses.length;
  const sizes = [count(all, 'bus', 'buses'), count(there, 'client'), count(steps.length, 'step')];
  return `${neutral(name)} is valid: ${sizes.join(', ')}`;
}
