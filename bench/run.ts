// SPDX-License-Identifier: MIT
/**
 * Crowds at an earlier commit and now, in turn, so that both meet the same load. Not a test: machines differ.
 *   npm run bench:run -- [--base DIR] [--rounds N] [--row WORD]
 * DIR is a checkout of the earlier commit: git worktree add DIR COMMIT && (cd DIR && sh bin/setup). Without it, only
 * what is here is measured. WORD picks rows by a part of their names.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HERE = fileURLToPath(new URL('..', import.meta.url));
const { values: flags } = parseArgs({
  options: { base: { type: 'string' }, rounds: { type: 'string' }, row: { type: 'string' } },
});
const folder = mkdtempSync(join(tmpdir(), 'afbus-bench-'));

/** What a run showed from outside. */
interface Run {
  /** Seconds at which a line of its progress first had this word. */
  readonly at: (word: string) => number;
  readonly seconds: number;
  readonly judge: number;
  /** Peak of resident memory, in MB. */
  readonly memory: number;
}

interface Row {
  readonly name: string;
  readonly unit: string;
  readonly bar: string;
  readonly args: readonly string[];
  readonly topology: string;
  readonly measure: (run: Run) => number;
}

const crowd = (clients: number, pack: number, step: string) => `
launcher: { process: { pack: ${pack} } }
buses: { bus: {} }
groups: { all: { prefix: 0x0001 } }
clients: { sender: {}, c: { replicas: ${clients}, groups: [all] } }
traffic:
  - { send: { from: sender, to: all${step} } }
  - { send: { from: sender, to: c-0 } }
`;

const VM = ['--launcher', 'process'];
const SIM = ['--backend', 'sim'];
const attaching = ({ at }: Run) => at('step 1 of') - at('connecting');
const deliveries =
  (count: number) =>
  ({ at }: Run): number =>
    count / (at('step 2 of') - at('step 1 of'));
const simulated = (count: number) => ({ args: SIM, topology: crowd(100, 1, `, count: ${count / 100}`) });

const ROWS: readonly Row[] = [
  {
    ...{ name: 'attach 1,000 clients, packs of 100', unit: 's', bar: '15 times as fast', args: VM },
    ...{ topology: crowd(1000, 100, ''), measure: attaching },
  },
  {
    ...{ name: 'attach 100 clients, a process each', unit: 's', bar: '3 times as fast', args: VM },
    ...{ topology: crowd(100, 1, ''), measure: attaching },
  },
  ...['64B', '4KiB'].map((size) => ({
    ...{ name: `deliver ${size} to 100`, unit: '/s', bar: '5 times as fast', args: VM },
    ...{ topology: crowd(100, 100, `, size: ${size}, count: 200`), measure: deliveries(20_000) },
  })),
  {
    ...{ name: '2,000 clients, 100 to all, whole', unit: 's', bar: '90 s', args: VM },
    ...{ topology: crowd(2000, 100, ', count: 100'), measure: ({ seconds }) => seconds },
  },
  ...[0.5, 1, 2, 4].flatMap((millions) => {
    const sim = simulated(millions * 1e6);
    const name = `sim ${millions} M`;
    return [
      {
        ...sim,
        name: `${name}, whole`,
        unit: 's',
        bar: '25 s at 4 M',
        measure: ({ seconds }: Run) => seconds,
      },
      { ...sim, name: `${name}, judge`, unit: 's', bar: '4 s at 4 M', measure: ({ judge }: Run) => judge },
      {
        ...sim,
        name: `${name}, peak`,
        unit: 'MB',
        bar: '1200 MB at 4 M',
        measure: ({ memory }: Run) => memory,
      },
    ];
  }),
];

/** Hosts of two builds have states of their own, so that both run. */
function environment(tree: string): NodeJS.ProcessEnv {
  if (tree === HERE) return process.env;
  const place = (name: string) => {
    const path = join(tree, 'build', 'bench', name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  };
  return { ...process.env, XDG_STATE_HOME: place('state'), XDG_RUNTIME_DIR: place('run') };
}

async function play(tree: string, { args, topology }: Pick<Row, 'args' | 'topology'>): Promise<Run> {
  const file = join(folder, 'crowd.topo.yaml');
  const artifacts = join(folder, 'artifacts');
  writeFileSync(file, `apiVersion: afbus-topo/v1\nname: crowd\n${topology}`);
  const words = ['run', ...args, '--seed', '1', '--timeout', '900s', '--artifacts', artifacts, file];
  const started = performance.now();
  const since = () => (performance.now() - started) / 1000;
  const child = spawn(process.execPath, ['-r', PEAK, join(tree, 'bin/afbus-topo.js'), ...words], {
    ...{ cwd: tree, env: environment(tree), stdio: ['ignore', 'ignore', 'pipe'] },
  });
  const lines: { readonly text: string; readonly at: number }[] = [];
  createInterface({ input: child.stderr }).on('line', (text) => lines.push({ text, at: since() }));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(lines.map(({ text }) => text).join('\n'));
  const found = (word: string) => {
    const line = lines.find(({ text }) => text.includes(word));
    if (!line) throw new Error(`it never said "${word}": too quick to be told`);
    return line;
  };
  const numberIn = (word: string) => Number(/[\d.]+/.exec(found(word).text)?.[0]);
  return {
    at: (word) => found(word).at,
    seconds: since(),
    judge: numberIn('✓ judge'),
    memory: numberIn('peak '),
  };
}

/** Has a process tell its peak of memory at its end. */
const PEAK = join(folder, 'peak.cjs');
writeFileSync(
  PEAK,
  `process.on('exit', () => console.error('peak %d MB', Math.round(process.resourceUsage().maxRSS / 1024)));`,
);

/** What the bus itself carries to many sockets of one reader, in C: the limit of deliveries. */
function limit(): void {
  const rows = 'fan-out 4 KiB to 64, one reader, two cpus';
  const words = ['-s', '-C', 'kernel/bench', 'run', `ROUNDS=${rounds}`, `T=${rows}`];
  spawnSync('make', words, { cwd: HERE, stdio: 'inherit' });
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
const shown = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(2)).padStart(10);

const trees = [...(flags.base === undefined ? [] : [flags.base]), HERE];
const rounds = Number(flags.rounds ?? 3);
/** Rows that come of the same run share it. */
const rows = Map.groupBy(
  ROWS.filter(({ name }) => name.includes(flags.row ?? '')),
  ({ topology }) => topology,
);
const heads = trees.length > 1 ? ['before', 'now', 'better by'] : ['now', ''];
console.log(`${'median of rounds'.padEnd(38)}${heads.map((head) => head.padStart(10)).join('')}  bar`);
try {
  for (const same of rows.values()) {
    const [first] = same as [Row];
    const runs = trees.map((): Run[] => []);
    for (let round = 0; round < rounds; round++)
      for (const [i, tree] of trees.entries()) runs[i]?.push(await play(tree, first));
    for (const { name, unit, bar, measure } of same) {
      const figures = runs.map((all) => median(all.map(measure)));
      const [before = 0, now = 1] = figures;
      const ratio = figures.length < 2 ? '' : shown(unit === '/s' ? now / before : before / now);
      console.log(
        `${`${name} (${unit})`.padEnd(38)}${figures.map(shown).join('')}${ratio.padStart(10)}  ${bar}`,
      );
    }
  }
  if (flags.row?.includes('deliver')) limit();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
