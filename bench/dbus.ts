// SPDX-License-Identifier: MIT
/**
 * D-Bus over AF_BUS beside dbus-daemon and dbus-broker, in one guest and one run: starts the buses, and bench/dbus, the
 * same program in C on each. Arguments: rounds, and a part of the names of the rows that are wanted.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startBroker, startDaemon, startOurs } from '../specs/dbus/daemons.ts';

const PROGRAM = fileURLToPath(new URL('../build/bench-dbus/bench-dbus', import.meta.url));
const PRELOAD = fileURLToPath(new URL('../build/libafbus-dbus/libafbus-dbus-preload.so', import.meta.url));

const LIMITS = ['max_completed_connections', 'max_connections_per_user']
  .map((name) => `<limit name="${name}">5000</limit>`)
  .join('');

const [rounds = '5', part = ''] = process.argv.slice(2);
await using daemon = await startDaemon(LIMITS);
await using broker = await startBroker('--max-objects', '100000', '--max-matches', '100000');
// One for each, or the receivers of one side would get the signals of the other.
await using native = await startOurs(LIMITS);
await using preloaded = await startOurs(LIMITS);
await using legacy = await startOurs(LIMITS);
// The library is preloaded for all sides: without its link it finds no bus here.
rmSync(`${legacy.path}.afbus`);
const sides = [
  `dbus-daemon=unix:path=${daemon.path}`,
  `dbus-broker=unix:path=${broker.path}`,
  `AF_BUS=afbus:abstract=${native.afbus?.slice(1)}`,
  `AF_BUS-preload=unix:path=${preloaded.path}`,
  `AF_BUS-legacy=unix:path=${legacy.path}`,
  'socketpair',
];
const env = { ...process.env, LD_PRELOAD: PRELOAD };
const [code] = await once(spawn(PROGRAM, [rounds, part, ...sides], { env, stdio: 'inherit' }), 'exit');
process.exitCode = code ?? 1;
