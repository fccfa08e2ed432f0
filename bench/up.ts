// SPDX-License-Identifier: MIT
/**
 * Times the everyday commands and prints them beside their bars. Not a test: machines differ.
 *   npm run bench:up [-- rounds]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const QUICKSTART = 'topologies/quickstart.topo.yaml';
const rounds = Number(process.argv[2] ?? 3);

interface Row {
  readonly what: string;
  readonly bar: number;
  readonly before?: readonly string[];
  readonly command: readonly string[];
}

function afbus(args: readonly string[], allowed: readonly number[] = [0]): number {
  const started = performance.now();
  const done = spawnSync('bin/afbus-topo', [...args], { cwd: ROOT, encoding: 'utf8' });
  if (!allowed.includes(done.status ?? -1)) throw new Error(`afbus-topo ${args.join(' ')}: ${done.stderr}`);
  return (performance.now() - started) / 1000;
}

/** A valid topology of about `lines` lines. */
function longFile(folder: string, lines: number): string {
  const head = `apiVersion: afbus-topo/v1
name: long
buses: { cabin: {} }
clients: { camera: {}, lidar: {} }
traffic:
`;
  const step = `  - camera -> lidar: "frame"
    expect: { recipients: [lidar] }
`;
  const path = join(folder, `long-${lines}.topo.yaml`);
  writeFileSync(path, head + step.repeat((lines - 5) / 2));
  return path;
}

/** A valid topology of about `lines` lines in which every third send goes to a thousand clients. */
function manyFile(folder: string, lines: number): string {
  const head = `name: many
buses: { cabin: {} }
groups: { all: { prefix: 0x0001 } }
clients: { client: { replicas: 1000, groups: [all] } }
traffic:
`;
  const send = (n: number) =>
    n % 3 === 0
      ? `  - client-${n % 1000} -> all: "frame"
    expect: { recipients: [all] }
`
      : `  - client-${n % 1000} -> client-${(n * 7) % 1000}: "frame"
    expect: { recipients: [client-${(n * 7) % 1000}] }
`;
  const path = join(folder, `many-${lines}.topo.yaml`);
  writeFileSync(path, head + Array.from({ length: (lines - 5) / 2 }, (_, n) => send(n)).join(''));
  return path;
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const folder = mkdtempSync(join(tmpdir(), 'afbus-bench-'));
const table: readonly Row[] = [
  { what: 'up, host not running', bar: 30, before: ['host', 'stop'], command: ['up', '--rm', QUICKSTART] },
  { what: 'up, host running', bar: 15, command: ['up', '--rm', QUICKSTART] },
  { what: 'up --launcher process', bar: 5, command: ['up', '--rm', '--launcher', 'process', QUICKSTART] },
  { what: 'validate quickstart', bar: 0.15, command: ['validate', QUICKSTART] },
  { what: 'validate 1,000 lines', bar: 0.5, command: ['validate', longFile(folder, 1000)] },
  { what: 'validate 10,000 lines', bar: 1, command: ['validate', longFile(folder, 10_000)] },
  { what: 'validate, to 1,000 clients', bar: 2, command: ['validate', manyFile(folder, 10_000)] },
];
console.log(
  `${'what'.padEnd(28)}${'median'.padStart(9)}${'worst'.padStart(9)}${'bar'.padStart(9)}   (seconds, ${rounds} rounds)`,
);
try {
  for (const { what, bar, before, command } of table) {
    const times = Array.from({ length: rounds }, () => {
      if (before) afbus(before);
      return afbus(command);
    });
    const [m, w] = [median(times), Math.max(...times)].map((t) => t.toFixed(2).padStart(9));
    console.log(`${what.padEnd(28)}${m}${w}${String(bar).padStart(9)}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
