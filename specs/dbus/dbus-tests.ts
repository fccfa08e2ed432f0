// SPDX-License-Identifier: MIT
/**
 * Debian's dbus-tests against three buses: dbus-daemon, dbus-broker and this project's, by its listener and with the
 * library that is preloaded. One process for each case, since a case that fails aborts the rest. Prints a table; fails if
 * ours fails a case that dbus-daemon passes, or passes one that it is said not to pass.
 *
 *   node specs/dbus/dbus-tests.ts [PART]     only cases whose name holds PART
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deafSocket, type RunningBus, startBroker, startDaemon, startOurs } from './daemons.ts';

const INSTALLED = '/usr/lib/dbus-1.0/debug-build';
const PRELOAD = fileURLToPath(new URL('../../build/libafbus-dbus/libafbus-dbus-preload.so', import.meta.url));
const TESTS = join(INSTALLED, 'libexec/installed-tests/dbus');
/** Those that connect to a bus; the others of the package test libdbus by itself. */
const PROGRAMS = ['test-dbus-daemon', 'test-dbus-daemon-eavesdrop', 'test-monitor', 'test-header-fields'];
const SIDES: Readonly<Record<string, Side>> = {
  'dbus-daemon': { start: startDaemon },
  'dbus-broker': { start: startBroker },
  ours: { start: startOurs, mine: true },
  preloaded: { start: startDeaf, mine: true, environment: { LD_PRELOAD: PRELOAD } },
};
const LIMIT = 120_000;

const OVERTAKEN = 'a broadcast to all overtakes the copy that the daemon passes on';

/** What a program cannot have with the library (docs/dbus.md, "Debian's own tests"). */
const NOT_PRELOADED: Readonly<Record<string, string>> = {
  '/echo/session': 'the caller sends more than the 128 messages that may wait for a native service',
  '/no-reply/disconnect':
    'the bus does not see a call between native clients, so it does not answer for the callee',
  '/eavedrop/match_keyword/unicast_to_receiver': OVERTAKEN,
  '/eavedrop/match_keyword/unicast_to_sender': OVERTAKEN,
  '/monitor/become': 'a monitor that sends finds its connection at an end, before its call is answered',
};

interface Side {
  readonly start: () => Promise<RunningBus>;
  readonly mine?: boolean;
  readonly environment?: NodeJS.ProcessEnv;
}

type Result = 'pass' | 'fail' | 'skip';

interface Case {
  readonly program: string;
  readonly name: string;
}

interface Outcome {
  readonly result: Result;
  readonly output: string;
}

async function startDeaf(): Promise<RunningBus> {
  const bus = await startOurs();
  return { ...bus, path: deafSocket(`${bus.path}-deaf`, bus) };
}

const ENVIRONMENT = {
  ...process.env,
  LD_LIBRARY_PATH: join(INSTALLED, 'lib'),
  DBUS_TEST_DATA: join(TESTS, 'data'),
  G_MESSAGES_DEBUG: '',
  // Allocations that fail in the test itself say nothing of the bus, and take hours on an emulated processor.
  DBUS_TEST_MALLOC_FAILURES: '0',
};

function run(program: string, args: readonly string[], environment: NodeJS.ProcessEnv): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { env: environment, timeout: LIMIT, killSignal: 'SIGKILL' } as const;
    execFile(join(TESTS, program), args, options, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`;
      const result =
        error !== null || /^not ok/m.test(stdout) ? 'fail' : /^ok .*# SKIP/im.test(stdout) ? 'skip' : 'pass';
      resolve({ result, output });
    });
  });
}

async function casesOf(program: string): Promise<readonly Case[]> {
  const { output } = await run(program, ['-l'], ENVIRONMENT);
  return [...output.matchAll(/^\/\S+$/gm)].map(([name]) => ({ program, name }));
}

async function judge({ program, name }: Case, side: Side): Promise<Outcome> {
  await using bus = await side.start();
  const address = { DBUS_TEST_DAEMON_ADDRESS: `unix:path=${bus.path}` };
  const environment = { ...ENVIRONMENT, ...address, ...side.environment };
  const outcome = await run(program, ['--tap', '-p', name], environment);
  return { ...outcome, output: outcome.output + bus.log.text };
}

const part = process.argv[2] ?? '';
const cases = (await Promise.all(PROGRAMS.map(casesOf))).flat().filter(({ name }) => name.includes(part));
const totals = new Map<string, Record<Result, number>>();
const worse: string[] = [];
const names = Object.keys(SIDES);

console.log(`${'case'.padEnd(72)}${names.map((name) => name.padEnd(12)).join(' ')}`);
for (const each of cases) {
  const results: Result[] = [];
  for (const [bus, side] of Object.entries(SIDES)) {
    const { result, output } = await judge(each, side);
    results.push(result);
    const total = totals.get(bus) ?? { pass: 0, fail: 0, skip: 0 };
    total[result]++;
    totals.set(bus, total);
    const reason = side.environment && NOT_PRELOADED[each.name];
    const expected = reason === undefined ? 'pass' : 'fail';
    if (!side.mine || result === expected || results[0] !== 'pass') continue;
    worse.push(`${bus}: ${each.program} ${each.name}: ${result}, not ${expected}`);
    console.log(output.replace(/^/gm, '  | '));
  }
  console.log(
    `${`${each.program} ${each.name}`.padEnd(72)}${results.map((result) => result.padEnd(12)).join(' ')}`,
  );
}
for (const [bus, { pass, fail, skip }] of totals)
  console.log(`${bus.padEnd(12)} ${pass} pass, ${fail} fail, ${skip} skip of ${cases.length}`);
if (worse.length > 0) {
  console.log(`ours differs from dbus-daemon:\n${worse.map((each) => `  ${each}`).join('\n')}`);
  process.exitCode = 1;
}
