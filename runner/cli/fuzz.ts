// SPDX-License-Identifier: MIT
/** `fuzz`: plays random topologies on the simulated bus and on a kernel until something goes wrong. */

import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { EXIT, Interrupted } from '../common/errors.ts';
import { replaceText } from '../common/folder.ts';
import { neutral, neutralJson } from '../common/neutral.ts';
import { type Finding, fuzz } from '../fuzz/fuzz.ts';
import { textOf } from '../fuzz/scenario.ts';
import { simSite } from '../sim/index.ts';
import { folderOf } from './artifacts.ts';
import { onInterrupt } from './interrupt.ts';
import { chooseSite } from './site.ts';
import { Ui } from './ui.ts';

export interface FuzzFlags {
  readonly backend: 'sim' | 'vm';
  readonly kernel: '6.12' | '6.1';
  readonly seed?: number;
  readonly runs: number;
  readonly all?: boolean;
  readonly out: string;
  readonly quiet?: boolean;
  /** `json`: one object per line; the last one is the total. */
  readonly format: 'text' | 'json';
}

export async function fuzzAll(flags: FuzzFlags): Promise<void> {
  folderOf('--out', flags.out);
  using interrupt = onInterrupt();
  const { signal } = interrupt;
  const ui = new Ui({ quiet: flags.quiet === true });
  const seed = flags.seed ?? randomInt(2 ** 32);
  const kernel =
    flags.backend === 'vm'
      ? await ui.stage('host', (detail) =>
          chooseSite({ ...VM, kernel: flags.kernel }, { seed, detail, signal }),
        )
      : undefined;
  try {
    const played = await ui.stage('fuzz', async (progress) => {
      const result = await fuzz({
        seed,
        runs: flags.runs,
        all: flags.all === true,
        sim: (each) => simSite({ seed: each }),
        ...(kernel && { kernel }),
        signal,
        progress,
        found: (finding) => process.stdout.write(report(finding, flags)),
      });
      progress(`${result.runs} runs, ${result.messages} messages, ${result.findings} found`);
      return result;
    });
    if (signal.aborted) throw new Interrupted(`interrupted after run ${played.runs}`, `seed ${seed}`);
    const where = flags.backend === 'vm' ? `sim and vm (Linux ${kernel?.where.kernel})` : 'sim';
    const found = played.findings === 0 ? 'nothing went wrong' : `${played.findings} went wrong`;
    const { runs, messages, findings } = played;
    const sum = {
      schemaVersion: 1,
      result: findings === 0 ? 'pass' : 'fail',
      seed,
      runs,
      messages,
      findings,
    };
    if (flags.format === 'json') console.log(JSON.stringify(sum));
    else console.log(`${found}: seed ${seed}, ${played.runs} runs, ${played.messages} messages on ${where}`);
    process.exitCode = played.findings === 0 ? EXIT.pass : EXIT.fail;
  } finally {
    kernel?.release();
  }
}

const VM = {
  backend: 'vm',
  launcher: 'process',
  timeout: 120_000,
  format: 'text',
  untrusted: false,
} as const;

/** Saves the scenario; returns what went wrong, the name of the file, and how to play it again. */
function report({ scenario, problem, seed }: Finding, flags: FuzzFlags): string {
  const file = join(flags.out, `${scenario.name}.topo.yaml`);
  replaceText(file, textOf(scenario));
  const on = problem.where === 'sim' ? 'sim' : `vm --launcher process --kernel ${flags.kernel}`;
  const command = `afbus-topo run --backend ${on} --seed ${seed} ${file}`;
  const { where, kind, words } = problem;
  if (flags.format === 'json')
    return `${neutralJson({ schemaVersion: 1, where, kind, words, file, seed, command })}\n`;
  return [
    `${problem.where}: ${problem.kind}`,
    ...problem.words.map((line) => `  ${neutral(line)}`),
    `  saved as ${file}; play it again with`,
    `  ${command}`,
    '',
    '',
  ].join('\n');
}
