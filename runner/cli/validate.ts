// SPDX-License-Identifier: MIT

import type { Diagnostic } from '../common/diagnostic.ts';
import { EXIT } from '../common/errors.ts';
import { neutral, neutralJson } from '../common/neutral.ts';
import { count } from '../common/text.ts';
import { type Loaded, renderDiagnostics } from '../load/index.ts';
import type { Topology } from '../topology/topology.ts';
import { annotate } from '../write/github.ts';
import { wantsColor } from '../write/paint.ts';
import { DocumentRoom } from './document-room.ts';
import { sarifOfFiles } from './findings.ts';
import { type InputFlags, loadInput } from './input.ts';

/** `validate`: prints every diagnostic of every file; loads neither Docker code nor the binding. */
export function validate(
  files: readonly string[],
  flags: InputFlags & { format: 'text' | 'json' | 'github' | 'sarif' },
): void {
  const kept: Diagnostic[] = [];
  const room = new DocumentRoom();
  for (const named of files) {
    const loaded = loadInput(named, flags);
    const { file, diagnostics } = loaded;
    if (loaded.topology === undefined) process.exitCode = EXIT.invalid;
    if (flags.format === 'text') text(loaded);
    else if (flags.format === 'github') for (const each of diagnostics) console.log(annotate(each));
    else kept.push(...room.fitAll(file, diagnostics));
  }
  if (flags.format === 'json')
    console.log(neutralJson({ schemaVersion: 1, files: files.length, diagnostics: kept }, 2));
  else if (flags.format === 'sarif') process.stdout.write(sarifOfFiles(kept));
}

/** As soon as it is known: of ten thousand files the first are read while the others are checked. */
function text({ file, topology, topologies, diagnostics, sources }: Loaded & { file: string }): void {
  if (diagnostics.length > 0) {
    const color = wantsColor(process.stderr, process.env);
    console.error(renderDiagnostics(diagnostics, sources, { color }));
  }
  if (!topology) return;
  const found = topologies.length > 1 ? `valid in ${topologies.length} combinations` : summary(topology);
  console.log(`${neutral(file)}: ${found}`);
}

function summary({ name, buses, clients, messageBuses, steps }: Topology): string {
  const all = buses.length + (messageBuses?.buses.length ?? 0);
  const onMessageBuses = [...(messageBuses?.clients ?? []), ...(messageBuses?.programs ?? [])];
  const there = clients.length + onMessageBuses.length;
  const sizes = [count(all, 'bus', 'buses'), count(there, 'client'), count(steps.length, 'step')];
  return `${neutral(name)} is valid: ${sizes.join(', ')}`;
}
