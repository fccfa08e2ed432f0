// SPDX-License-Identifier: MIT
/**
 * `npm run fuzz:hostile -- [--runs N] [--commands N] [--lines N] [--seed S] [--from RUN]`: files and nodes of strangers.
 * It prints each violation with the seed and the run that show it again, and fails if there is one.
 */

import { parseArgs } from 'node:util';
import { playFiles } from './files.ts';
import { playByCommand, playHere } from './play.ts';
import { playReports } from './reports.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    commands: { type: 'string', default: '300' },
    lines: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
  },
});
const [seed, from] = [Number(values.seed), Number(values.from)];
const EACH = 500;

const progress = (what: string) => (run: number) => {
  if (run > from && run % EACH === 0) process.stderr.write(`${what}: ${run}\n`);
};

async function part(what: string, work: () => Promise<readonly string[]>): Promise<void> {
  const [start, memory] = [performance.now(), process.memoryUsage.rss];
  const found = await work();
  for (const each of found) console.log(`${what}: ${each}`);
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(
    `${what}: ${found.length} violations in ${seconds} s, ${Math.round(memory() / 2 ** 20)} MiB in the end`,
  );
  if (found.length > 0) process.exitCode = 1;
}

let next = 0;
const to = (runs: string) => from + Number(runs);
await part('files', () =>
  playFiles({ seed, from, to: to(values.runs), player: playHere, progress: progress('files') }),
);
await part('commands', () =>
  playFiles({ seed, from, to: to(values.commands), player: playByCommand, progress: progress('commands') }),
);
await part('reports', () => playReports({ seed, lines: Number(values.lines), progress: tell }));

function tell(lines: number): void {
  if (lines < next) return;
  process.stderr.write(`reports: ${lines}\n`);
  next = lines + EACH * 10;
}
