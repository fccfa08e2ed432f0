// SPDX-License-Identifier: MIT
import { EXIT } from '../common/errors.ts';
import { neutral } from '../common/neutral.ts';
import { folderOf } from './artifacts.ts';
import { Interrupt } from './interrupt.ts';
import type { Format, PlayFlags } from './options.ts';
import { type FileResult, playFile, worst } from './playing.ts';
import { writeResults } from './results.ts';

/**
 * `run`: plays each file in all its combinations, one after the other, and takes it down; the exit code is the worst
 * one.
 */
export async function runFiles(files: readonly string[], flags: PlayFlags): Promise<void> {
  if (flags.artifacts !== undefined) folderOf('--artifacts', flags.artifacts);
  using interrupt = new Interrupt();
  const results: FileResult[] = [];
  const atOnce = EACH_AT_ONCE.includes(flags.format);
  const sharing = files.length > 1 ? { taken: new Set<string>() } : {};
  for (const file of files) {
    if (interrupt.signal.aborted) break;
    const mode = { keep: false, replace: false, interrupt, ...sharing };
    await playFile(file, flags, mode, (result) => {
      results.push(result);
      if (atOnce) writeResults([result], flags.format);
    });
  }
  if (!atOnce) writeResults(results, flags.format);
  else if (flags.format === 'text' && results.length > 1) summarise(results, flags.repeat ?? 1);
  // An interrupt between two files is in no result.
  process.exitCode = interrupt.signal.aborted ? EXIT.interrupted : worst(results);
}

/** Formats that are written result by result; the others are one document. */
const EACH_AT_ONCE: readonly Format[] = ['text', 'jsonl'];

/** Prints the rate, for what happens only now and then. One failure is a failure, however many repeats passed. */
function summarise(results: readonly FileResult[], repeat: number): void {
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

function combinationOf({ played }: FileResult): string {
  const values = Object.entries(played?.plan.topology.combination ?? {});
  return values.length === 0 ? '' : ` (${values.map(([name, value]) => `${name}=${value}`).join(' ')})`;
}

function word({ exitCode, played }: FileResult): string {
  if (exitCode === EXIT.fail) return played?.verdict.result === 'skip' ? 'skip ' : 'fail ';
  return exitCode === EXIT.invalid ? 'invalid' : 'error';
}
