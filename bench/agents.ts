// SPDX-License-Identifier: MIT
/**
 * A topology played by real agents on the kernel of this very machine, without a host, containers or their channels:
 * what agents and the bus take by themselves. Its first step is measured, and its second ends the measurement. To be
 * run in a guest that has the modules:
 *   images/scratch/run --memory 2G --timeout 600 -- node_modules/node/bin/node bench/agents.ts FILE [--profile DIR]
 * With --profile, which needs an `--rw DIR` of the guest, each process of agents leaves a profile of its processor time.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

/** Loaded before an agent: profiles it until it is told to stop. */
const PROFILER = `
const { Session } = require('node:inspector');
const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.setSamplingInterval', { interval: 2000 });
session.post('Profiler.start');
process.on('SIGUSR2', () => session.post('Profiler.stop', (error, { profile }) => {
  const path = ${JSON.stringify(flags.profile)} + '/' + process.argv.slice(2).join('-') + '.' + process.pid + '.cpuprofile';
  require('node:fs').writeFileSync(path, JSON.stringify(profile));
}));`;

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
let [usedBefore, used] = [new Map<string, number>(), new Map<string, number>()];
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
    [...used].map(([who, ticks]) => [who, seconds((ticks - (usedBefore.get(who) ?? 0)) * MS_PER_TICK)]),
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
  if (!text.startsWith('step 2 of')) return;
  used = processorTimes();
  if (flags.profile !== undefined) stopProfiles();
}

/** Ticks of processor time that this process and those of the nodes have taken so far. */
function processorTimes(): Map<string, number> {
  const times = new Map<string, number>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const script = words.findIndex((word) => word.endsWith('dist/agent.js'));
    if (script < 0 && Number(pid) !== process.pid) continue;
    // After the name in brackets: the state, and ten more until the time in user space and in the kernel.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    const who = script < 0 ? 'runner' : words.slice(script + 1, -1).join(' ');
    times.set(who, Number(fields[11]) + Number(fields[12]));
  }
  return times;
}

async function startNode(name: string) {
  const script = join(HERE, 'dist/agent.js');
  const child = spawn(process.execPath, [...profiling(), script, 'node', name], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, AFBUS_NATIVE: join(HERE, 'build/native/afbus.node') },
  });
  return [name, await connectNode(name, { input: child.stdin, output: child.stdout })] as const;
}

function profiling(): string[] {
  if (flags.profile === undefined) return [];
  const path = '/tmp/profiler.cjs';
  writeFileSync(path, PROFILER);
  return ['-r', path];
}

function stopProfiles(): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    if (words.includes('/tmp/profiler.cjs')) process.kill(Number(pid), 'SIGUSR2');
  }
}
