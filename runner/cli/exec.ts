// SPDX-License-Identifier: MIT
/** `exec`: the command's input, output and exit status are those of this process. */

import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { EXIT, InvalidInput } from '../common/errors.ts';
import { type Command, startCommand } from '../provision/command.ts';
import { partFrames } from '../provision/frames.ts';
import { pick, pickRunning, withRuns } from './find-run.ts';

export interface ExecFlags {
  readonly interactive?: boolean;
  readonly tty?: boolean;
}

export async function exec(
  name: string,
  node: string,
  words: readonly string[],
  flags: ExecFlags,
): Promise<void> {
  const argv = commandIn(words);
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
    else await onStreams(command, input);
    const status = await command.status();
    process.exitCode = signals.first === undefined ? status : exitCodeAfter(signals.first);
  });
}

/** `--` may stand before the command, as for other programs that run one. */
export function commandIn(words: readonly string[]): readonly string[] {
  const argv = words[0] === '--' ? words.slice(1) : words;
  if (argv.length > 0) return argv;
  throw new InvalidInput('there is no command after --', 'write "afbus-topo exec NAME NODE -- COMMAND"');
}

/** Some terminals say that they have no rows. */
const sizeOfTerminal = () => ({ rows: process.stdout.rows || 24, columns: process.stdout.columns || 80 });

async function onStreams(command: Command, input: boolean): Promise<void> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const ended = () => [out, err].forEach((s) => void s.end());
  partFrames(command.stream, out, err);
  // The status tells of an error.
  command.stream
    .on('error', () => {})
    .on('end', ended)
    .on('close', ended);
  if (input) process.stdin.on('error', () => {}).pipe(command.stream);
  try {
    await Promise.all([passOutput(command, out, process.stdout), passOutput(command, err, process.stderr)]);
  } finally {
    process.stdin.destroy();
  }
}

async function onTerminal(command: Command, input: boolean): Promise<void> {
  const { stdin, stdout } = process;
  const resized = () => void command.resize(sizeOfTerminal()).catch(() => {});
  const raw = input && stdin.isTTY && stdin.setRawMode(true);
  stdout.on('resize', resized);
  if (input) passKeys(command);
  const out = new PassThrough();
  command.stream.on('error', () => {}).on('close', () => out.end());
  command.stream.pipe(out);
  try {
    await passOutput(command, out, stdout);
  } finally {
    stdout.off('resize', resized);
    if (raw) stdin.setRawMode(false);
    stdin.destroy();
  }
}

/** If nobody reads on, the command gets the signal that it would get at the end of a pipe. */
async function passOutput(command: Command, from: PassThrough, to: NodeJS.WriteStream): Promise<void> {
  await pipeline(from, to, { end: false }).catch(async () => {
    // guardStreams() says what went wrong, if it matters.
    await command.signal('SIGPIPE');
  });
}

/** What a terminal says at the end of the input. */
const END_OF_INPUT = '\x04';

/** The engine would end the output, too, if the stream to a terminal were ended. */
function passKeys({ stream }: Command): void {
  process.stdin.on('error', () => {}).on('end', () => stream.write(END_OF_INPUT));
  process.stdin.pipe(stream, { end: false });
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Signal = (typeof SIGNALS)[number];

const exitCodeAfter = (name: Signal): number => (name === 'SIGHUP' ? EXIT.hangup : EXIT.interrupted);

/** How long the second signal waits for the command's end: the host itself may hang. */
const ENDS_WITHIN_MS = 5000;

/** The command gets the first signal. The second ends it, and this process as well, whatever the command does. */
function passSignals(starting: Promise<Command>): { readonly first: Signal | undefined } & Disposable {
  let first: Signal | undefined;
  const handler = (name: Signal) => {
    const again = first !== undefined;
    first ??= name;
    const sent = starting.then((command) => (again ? command.kill() : command.signal(name))).catch(() => {});
    if (again) void Promise.race([sent, pause(ENDS_WITHIN_MS)]).then(() => process.exit(exitCodeAfter(name)));
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
