// SPDX-License-Identifier: MIT
import { EXIT, InvalidInput } from '../common/errors.ts';
import { neutral } from '../common/neutral.ts';
import { folderOf } from './artifacts.ts';
import { Interrupt } from './interrupt.ts';
import { type PlayFlags, topologyFile } from './options.ts';
import { type FileResult, playFile, worst } from './playing.ts';
import { writeResults } from './results.ts';

type UpFlags = PlayFlags & { readonly rm?: boolean; readonly replace?: boolean };

/** `up`: plays one file and leaves its nodes running; prints the next commands on stderr. */
export async function up(named: string | undefined, flags: UpFlags): Promise<void> {
  using interrupt = new Interrupt();
  const file = topologyFile(named);
  const keep = flags.rm !== true;
  if (keep && flags.backend === 'sim') {
    throw new InvalidInput(
      'a simulated bus ends with the process that plays it, so there is nothing to leave up',
      'write "afbus-topo run --backend sim", or add --rm',
    );
  }
  if (flags.artifacts !== undefined) folderOf('--artifacts', flags.artifacts);
  const results: FileResult[] = [];
  const mode = { keep, replace: flags.replace === true, interrupt };
  await playFile(file, flags, mode, (result) => void results.push(result));
  writeResults(results, flags.format);
  const [result] = results;
  const isPlayed = result?.exitCode === EXIT.pass || result?.exitCode === EXIT.fail;
  // An error may be a consequence of the interrupt.
  process.exitCode = interrupt.signal.aborted && !isPlayed ? EXIT.interrupted : worst(results);
  if (keep && !flags.quiet && isPlayed) {
    console.error(next(neutral(result.played?.verdict.topology ?? '')));
  }
}

const next = (name: string) => `
still up; next:
  afbus-topo ps
  afbus-topo logs ${name}
  afbus-topo exec ${name} <node> <command>
  afbus-topo down ${name}`;
