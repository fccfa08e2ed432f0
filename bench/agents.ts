// SPDX-License-Identifier: MIT
/**
 * A topology played by real agents on the kernel of this very machine, without a host, containers or their channels:
 * what agents and the bus take by themselves. Its first step is measured, and its second ends the measurement. To be
 * run in a guest that has the modules:
 *   images/scratch/run --memory 2G --timeout 600 -- node_modules/node/bin/node bench/agents.ts FILE [--profile DIR]
 * Agents run as the users of the file, who must be able to read this checkout: else they end with EACCES.
 * With --profile, which needs an `--rw DIR` of the guest, this process and each one of the nodes leave two profiles of
 * their processor time: one of attaching, and one of the first step.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { wallClock } from '../runner/common/clock.ts';
import { Deadline } from '../runner/common/deadline.ts';
import { load } from '../runner/load/index.ts';
import { plan } from '../runner/plan/index.ts';
import { connectNode } from '../runner/provision/connection.ts';
import { run } from '../runner/run/index.ts';
import { judge } from '../runner/verdict/index.ts';

const HERE = fileURLToPath(new URL('..', import.meta.url));
const { values: flags, positionals } = parseArgs({
  options: { profile: { type: 'string' } },
  allowPositionals: true,
});
const [file = ''] = positionals;

/** Loaded before an agent: each signal ends a profile, if one has begun, and begins the next. */
const PROFILER = `
const { Session } = require('node:inspector');
const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.setSamplingInterval', { interval: 1000 });
let number = 0;
const [script, ...words] = process.argv.slice(1);
const name = script.endsWith('agent.cjs') ? words.join('-') : 'runner';
process.on('SIGUSR2', () => {
  if (number > 0) session.post('Profiler.stop', (error, { profile }) => {
    const path = ${JSON.stringify(flags.profile)} + '/' + name + '.' + number + '.cpuprofile';
    require('node:fs').writeFileSync(path, JSON.stringify(profile));
  });
  number++;
  session.post('Profiler.start');
});`;

const PROFILER_PATH = '/tmp/profiler.cjs';
if (flags.profile !== undefined) {
  writeFileSync(PROFILER_PATH, PROFILER);
  createRequire(import.meta.url)(PROFILER_PATH);
}

const { topology, contradictions } = load(file);
if (topology === undefined) throw new Error(`${file} cannot be played`);
if (topology.steps.length < 2) throw new Error(`${file} has one step: put one after that which is measured`);
const planned = plan(topology, { seed: 1, contradictions: contradictions.get(topology) });
for (const { path } of topology.buses) {
  if (path.startsWith('@')) continue;
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
}
const where = { backend: 'vm', launcher: 'process', kernel: 'here' } as const;
const nodes = new Map(await Promise.all(topology.nodes.map(({ name }) => startNode(name))));

/** A tick of /proc/PID/stat: USER_HZ is 100 everywhere. */
const MS_PER_TICK = 10;
/** What a read of a file in /proc fails with if the process has ended. */
const GONE = new Set<string | undefined>(['ENOENT', 'ESRCH']);
/** In user space, and in the kernel. */
type Ticks = readonly [number, number];
let [usedBefore, used] = [new Map<string, Ticks>(), new Map<string, Ticks>()];
const marks: { readonly text: string; readonly at: number }[] = [];
const trace = await run(
  planned,
  { run: 'bench', where, clock: wallClock, nodes, broken: new Promise(() => {}) },
  { deadline: new Deadline(3_600_000), progress: tell },
);
const ended = performance.now();
const { result } = judge(planned, trace, where);
const judged = performance.now();
for (const node of nodes.values()) node.release();

const at = (word: string) => marks.find(({ text }) => text.includes(word))?.at ?? Number.NaN;
const traffic = at('step 2 of') - at('step 1 of');
const first = planned.messagesOf.get(topology.steps[0]?.id ?? '')?.count ?? 0;
let deliveries = 0;
for (const lane of trace.deliveries.values())
  for (const { fence, message } of lane) if (!fence && message !== null && message < first) deliveries++;
const figures = {
  result,
  processor: Object.fromEntries(
    [...used].map(([who, ticks]) => [
      who,
      ticks.map((count, i) => seconds((count - (usedBefore.get(who)?.[i] ?? 0)) * MS_PER_TICK)),
    ]),
  ),
  starting: seconds(at('connecting') - at('starting')),
  attaching: seconds(at('step 1 of') - at('connecting')),
  traffic: seconds(traffic),
  deliveriesPerSecond: Math.round((deliveries / traffic) * 1000),
  judging: seconds(judged - ended),
};
console.log(JSON.stringify(figures));
process.exitCode = result === 'pass' ? 0 : 1;

function seconds(ms: number): number {
  return Math.round(ms / 10) / 100;
}

function tell(text: string): void {
  marks.push({ text, at: performance.now() });
  if (text.startsWith('step 1 of')) usedBefore = processorTimes();
  if (text.startsWith('step 2 of')) used = processorTimes();
  if (flags.profile !== undefined && /^connecting|^step [12] of/.test(text)) turnProfiles();
}

/** Ticks of processor time that this process and those of the nodes have taken so far. */
function processorTimes(): Map<string, Ticks> {
  const times = new Map<string, Ticks>();
  for (const { pid, words, stat } of processes()) {
    const script = words.findIndex((word) => word.endsWith('dist/agent.cjs'));
    if (script < 0 && pid !== process.pid) continue;
    // After the name in brackets: the state, and ten more until the time in user space and in the kernel.
    const fields = stat.split(') ').at(-1)?.split(' ') ?? [];
    const who = script < 0 ? 'runner' : words.slice(script + 1, -1).join(' ');
    times.set(who, [Number(fields[11]), Number(fields[12])]);
  }
  return times;
}

/** Every process of the machine, but for those that end meanwhile: the nodes start some of their own. */
function processes() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const file = (of: string) => readFileSync(`/proc/${name}/${of}`, 'utf8');
      try {
        return [{ pid: Number(name), words: file('cmdline').split('\0'), stat: file('stat') }];
      } catch (error) {
        if (!GONE.has((error as NodeJS.ErrnoException).code)) throw error;
        return [];
      }
    });
}

async function startNode(name: string) {
  const script = join(HERE, 'dist/agent.cjs');
  const child = spawn(process.execPath, [...profiling(), script, 'node', name], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, AFBUS_NATIVE: join(HERE, 'build/native/afbus.node') },
  });
  return [name, await connectNode(name, { input: child.stdin, output: child.stdout })] as const;
}

function profiling(): string[] {
  return flags.profile === undefined ? [] : ['-r', PROFILER_PATH];
}

function turnProfiles(): void {
  for (const { pid, words } of processes())
    if (pid === process.pid || words.includes(PROFILER_PATH)) process.kill(pid, 'SIGUSR2');
}
