// SPDX-License-Identifier: MIT
/** Options that several verbs share, and their parsing. */

import { existsSync, readdirSync } from 'node:fs';
import { InvalidArgumentError, Option } from 'commander';
import { DEFAULT_RUN_TIME } from '../common/deadline.ts';
import { InvalidInput } from '../common/errors.ts';

export const FORMATS = ['text', 'json', 'jsonl', 'junit', 'ktap', 'github', 'sarif'] as const;
export type Format = (typeof FORMATS)[number];

export interface PlayFlags {
  readonly backend: 'auto' | 'vm' | 'docker' | 'sim';
  /** If absent, what the topology says, else containers. */
  readonly launcher?: 'container' | 'process';
  readonly kernel: '6.12' | '6.1';
  readonly timeout: number;
  readonly seed?: number;
  readonly simBug?: string;
  readonly format: Format;
  readonly artifacts?: string;
  /** How often each combination is played; only for `run`. */
  readonly repeat?: number;
  readonly set?: Readonly<Record<string, string>>;
  readonly strict?: boolean;
  readonly quiet?: boolean;
  /** If absent, see `isUntrusted`. */
  readonly untrusted?: boolean;
}

export const kernelOption = () =>
  new Option('--kernel <version>', 'kernel of the AF_BUS host')
    .choices(['6.12', '6.1'])
    .default('6.12')
    .env('AFBUS_KERNEL');

export const formatOption = (choices: readonly string[] = FORMATS) =>
  new Option('--format <format>', 'how the result is written to stdout').choices(choices).default('text');

export const seedOption = (what: string) => new Option('--seed <number>', what).argParser(seed);

export const fuzzBackendOption = () =>
  new Option(
    '--backend <backend>',
    'play on the simulated bus only (sim), or on the AF_BUS host as well (vm)',
  )
    .choices(['sim', 'vm'])
    .default('sim');

export const runsOption = () =>
  new Option('--runs <number>', 'how many topologies').argParser(count).default(100);

export const repeatOption = () =>
  new Option('--repeat <number>', 'how many times to play each file, each time with another seed')
    .argParser(count)
    .default(1);

export const setOption = () =>
  new Option(
    '--set <variable[=value]>',
    'the value of ${variable}; without =value, that of the environment; may be repeated',
  ).argParser(assignment);

function assignment(text: string, known: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, name, given] = /^([A-Za-z_]\w*)(?:=(.*))?$/s.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('write a name, = and a value: --set n=8.');
  const value = given ?? process.env[name];
  if (value === undefined)
    throw new InvalidArgumentError(`the environment has no ${name}; write --set ${name}=value.`);
  return { ...known, [name]: value };
}

export const strictOption = () =>
  new Option('--strict', 'a warning about a file is an error: nothing is played, and the exit code is 2');

export const playOptions = (): Option[] => [
  setOption(),
  strictOption(),
  new Option(
    '--backend <backend>',
    'what plays the file: the AF_BUS host (vm), your Docker Engine, whose kernel must have AF_BUS (docker), or a simulated bus (sim); auto is vm',
  )
    .choices(['auto', 'vm', 'docker', 'sim'])
    .default('auto')
    .env('AFBUS_BACKEND'),
  new Option(
    '--launcher <launcher>',
    'what each node is: a privileged container, or a process tree on the host',
  )
    .choices(['container', 'process'])
    .env('AFBUS_LAUNCHER'),
  kernelOption(),
  new Option(
    '--timeout <duration>',
    'time limit of a run, from reading its file to the end of its traffic; the start of the host does not count',
  )
    .argParser(duration)
    .default(DEFAULT_RUN_TIME, '2m'),
  new Option(
    '--untrusted',
    'play each file in a fresh host, so that no file affects the verdict of another; the default in CI (CI=true)',
  ),
  new Option('--no-untrusted', 'trust the files, in CI too; AFBUS_TRUSTED=1 does the same'),
  seedOption(
    'seed from which sizes and bodies are drawn; with --backend sim it also decides who is quicker; printed with every verdict',
  ),
  new Option('--artifacts <directory>', 'also keep verdict, trace and kernel log there'),
  // For tests of the checks. Hidden, since a bug in the simulated bus is of no use to others.
  new Option('--sim-bug <name>', 'a fault for the simulated bus to have').hideHelp(),
  formatOption(),
  new Option('-q, --quiet', 'no progress on stderr'),
];

/** What the command line says; else true in CI, where anybody who proposes a change may have written the files. */
export const isUntrusted = ({ untrusted }: Pick<PlayFlags, 'untrusted'>): boolean =>
  untrusted ?? (process.env.CI === 'true' && process.env.AFBUS_TRUSTED !== '1');

/** `500ms`, `30s`, `2m` → ms. */
export function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text);
  if (!match) throw new InvalidArgumentError('write a number and a unit: 500ms, 30s or 2m.');
  const ms = Number(match[1]) * { ms: 1, s: 1000, m: 60_000 }[match[2] as 'ms' | 's' | 'm'];
  // Node's timers fire at once beyond 2^31 ms.
  if (ms < 1 || ms > 86_400_000) throw new InvalidArgumentError('give a duration from 1ms to 1440m.');
  return ms;
}

function count(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('write a whole number, 1 or more.');
  return Number(text);
}

function seed(text: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0xffffffff) {
    throw new InvalidArgumentError('write a whole number from 0 to 4294967295.');
  }
  return Number(text);
}

const SUFFIX = '.topo.yaml';

/** The named file, or the only topology in this directory. */
export function topologyFile(named: string | undefined): string {
  if (named !== undefined) return named;
  const found = [
    ...readdirSync('.'),
    ...(existsSync('topologies') ? readdirSync('topologies').map((f) => `topologies/${f}`) : []),
  ];
  const here = found.filter((f) => f.endsWith(SUFFIX) && !f.includes('/'));
  if (here.length === 1) return here[0] as string;
  const candidates = found.filter((f) => f.endsWith(SUFFIX)).sort();
  throw new InvalidInput(
    here.length
      ? `this directory holds ${here.length} topologies; name one`
      : `no *${SUFFIX} in this directory; name a file`,
    candidates.length
      ? `for example: afbus-topo up ${candidates[0]}`
      : 'a topology file ends in .topo.yaml; see docs/topology.md',
    { lines: candidates },
  );
}
