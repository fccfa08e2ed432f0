// SPDX-License-Identifier: MIT
import { EXIT } from '../common/errors.ts';
import { neutral } from '../common/neutral.ts';
import { folderOf } from './artifacts.ts';
import { Interrupt } from './interrupt.ts';
import type { PlayFlags } from './options.ts';
import { playFile, worst } from './playing.ts';
import { warn } from './report-error.ts';
import { type Outline, Results } from './results.ts';

/**
 * `run`: plays each file in all its combinations, one after the other, and takes it down; the exit code is the worst
 * one.
 */
export async function runFiles(files: readonly string[], flags: PlayFlags): Promise<void> {
  if (flags.artifacts !== undefined) folderOf('--artifacts', flags.artifacts);
  using interrupt = new Interrupt();
  const results = new Results(flags.format);
  const sharing = files.length > 1 ? { taken: new Set<string>() } : {};
  let begun = 0;
  for (const file of files) {
    if (interrupt.signal.aborted) break;
    begun++;
    const mode = { keep: false, replace: false, interrupt, ...sharing };
    await playFile(file, flags, mode, (result) => results.add(result));
  }
  results.end();
  const { outlines } = results;
  if (flags.format === 'text' && outlines.length > 1) summarise(outlines, flags.repeat ?? 1);
  const left = files.length - begun;
  if (left > 0) warn(`interrupted: ${left} of ${files.length} files were not played`);
  // An interrupt between two files is in no result.
  process.exitCode = interrupt.signal.aborted ? EXIT.interrupted : worst(outlines);
}

/** Prints the rate, for what happens only now and then. One failure is a failure, however many repeats passed. */
function summarise(results: readonly Outline[], repeat: number): void {
  const passed = results.filter((r) => r.exitCode === EXIT.pass).length;
  const all = results.length;
  const rate =
    repeat > 1
      ? `${passed} of ${all} runs passed (${share(passed, all)})`
      : `${passed} of ${all} topologies passed`;
  const others = results
    .filter((r) => r.exitCode !== EXIT.pass)
    .map((r) => `  ${word(r)} ${neutral(`${r.file}${combinationOf(r)}`)}`);
  console.log([rate, ...others].join('\n'));
}

/** In percent; 100 only if all passed. */
const share = (part: number, all: number): string => `${Math.floor((1000 * part) / all) / 10} %`;

function combinationOf({ combination }: Outline): string {
  const values = Object.entries(combination);
  return values.length === 0 ? '' : ` (${values.map(([name, value]) => `${name}=${value}`).join(' ')})`;
}

function word({ exitCode, provesNothing }: Outline): string {
  if (exitCode === EXIT.fail) return provesNothing ? 'skip ' : 'fail ';
  return exitCode === EXIT.invalid ? 'invalid' : 'error';
}
