// SPDX-License-Identifier: MIT
/** `exec`: the command's input, output and exit status are those of this process. */

import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type Dockerode from 'dockerode';
import { EXIT } from '../common/errors.ts';
import { type Command, startCommand } from '../provision/command.ts';
import { pick, pickRunning, withRuns } from './find-run.ts';

export interface ExecFlags {
  readonly interactive?: boolean;
  readonly tty?: boolean;
}

export async function exec(
  name: string,
  node: string,
  argv: readonly string[],
  flags: ExecFlags,
): Promise<void> {
  await withRuns(async (found) => {
    const { backend, run } = pick(found, name);
    const target = pickRunning({ backend, run }, node);
    // What is piped in is meant for the command. A terminal may be needed for something else meanwhile.
    const input = flags.interactive === true || !process.stdin.isTTY;
    const terminal = flags.tty ? { terminal: sizeOfTerminal() } : {};
    const starting = startCommand(backend, run, target, { argv, input, ...terminal });
    using signals = passSignals(starting);
    const command = await starting;
    if (flags.tty) await onTerminal(command, input);
    else await onStreams(command, input, backend.docker);
    const status = await command.status();
    process.exitCode = signals.first === undefined ? status : exitCodeAfter(signals.first);
  });
}

/** Some terminals say that they have no rows. */
const sizeOfTerminal = () => ({ rows: process.stdout.rows || 24, columns: process.stdout.columns || 80 });

async function onStreams(command: Command, input: boolean, docker: Dockerode): Promise<void> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(command.stream, out, err);
  command.stream.on('end', () => [out, err].forEach((s) => void s.end()));
  if (input) passInput(command);
  try {
    await Promise.all([
      pipeline(out, process.stdout, { end: false }),
      pipeline(err, process.stderr, { end: false }),
    ]);
  } finally {
    process.stdin.destroy();
  }
}

async function onTerminal(command: Command, input: boolean): Promise<void> {
  const { stdin, stdout } = process;
  const resized = () => void command.resize(sizeOfTerminal()).catch(() => {});
  const raw = input && stdin.isTTY && stdin.setRawMode(true);
  stdout.on('resize', resized);
  if (input) passInput(command);
  try {
    await pipeline(command.stream, stdout, { end: false });
  } finally {
    stdout.off('resize', resized);
    if (raw) stdin.setRawMode(false);
    stdin.destroy();
  }
}

/** A command need not read all its input, or any. */
function passInput({ stream }: Command): void {
  stream.on('error', () => {});
  process.stdin.on('error', () => {}).pipe(stream);
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Signal = (typeof SIGNALS)[number];

const exitCodeAfter = (name: Signal): number => (name === 'SIGHUP' ? EXIT.hangup : EXIT.interrupted);

/** The command gets the first signal. The second ends it, and this process as well, whatever the command does. */
function passSignals(starting: Promise<Command>): { readonly first: Signal | undefined } & Disposable {
  let first: Signal | undefined;
  const handler = (name: Signal) => {
    const again = first !== undefined;
    first ??= name;
    const sent = starting.then((command) => (again ? command.kill() : command.signal(name))).catch(() => {});
    if (again) void sent.then(() => process.exit(exitCodeAfter(name)));
  };
  for (const name of SIGNALS) process.on(name, handler);
  return {
    get first() {
      return first;
    },
    [Symbol.dispose]: () => {
      for (const name of SIGNALS) process.off(name, handler);
    },
  };
}
