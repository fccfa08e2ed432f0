// SPDX-License-Identifier: MIT
/** A command of the user's in a node that runs: its input and output, its terminal, its status, and its end. */

import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { EnvironmentError } from '../common/errors.ts';
import { answer } from '../host/host.ts';
import type { Backend } from './backend.ts';
import { fromEngine } from './engine-answer.ts';
import { LABEL } from './labels.ts';
import { goneAlready, type Run, type RunNode } from './runs.ts';

/** Of a terminal, in characters. */
export interface Size {
  readonly rows: number;
  readonly columns: number;
}

export interface CommandOptions {
  readonly argv: readonly string[];
  /** Whether there is an input; the command reads the end of a file if there is none. */
  readonly input: boolean;
  /** A terminal of its own of this size. */
  readonly terminal?: Size;
}

export interface Command {
  /** Takes the input. Gives the output: as the engine frames stdout and stderr, or as it is with a terminal. */
  readonly stream: Duplex;
  /** Does nothing if the command has ended. */
  resize(size: Size): Promise<void>;
  /** The exit status, as soon as the output has ended. */
  status(): Promise<number>;
  /** Sends a signal to the command and to all that it has started. */
  signal(name: NodeJS.Signals): Promise<void>;
  /** Ends the command and all that it has started, whatever they do. */
  kill(): Promise<void>;
}

/** A variable that the command and all that it starts have in their environment: by its value they are found. */
const MARK = 'AFBUS_COMMAND';

/**
 * Arguments: a signal, a mark. Prints a dot for each process that has got the signal, the oldest first: a shell would
 * begin its next command otherwise when the one before has ended.
 */
const SIGNAL = `
for p in $(grep -lzsx "${MARK}=$2" /proc/[0-9]*/environ | cut -d/ -f3 | sort -n); do
  kill -s "$1" "$p" 2>/dev/null && printf .
done
true`;

export async function startCommand(
  backend: Backend,
  { run, launcher }: Pick<Run, 'run' | 'launcher'>,
  node: RunNode,
  options: CommandOptions,
): Promise<Command> {
  const mark = randomUUID();
  const place = { ...backend, run, node };
  const start = launcher === 'container' ? inContainer : inProcessNode;
  const started = await fromEngine(() => start(place, options, mark));
  const reaches = async (name: NodeJS.Signals): Promise<boolean> => {
    const command = ['sh', '-c', SIGNAL, 'sh', name.slice('SIG'.length), mark];
    return (await answer(await backend.channel(command))).length > 0;
  };
  return {
    ...started,
    status: () => fromEngine(started.status),
    // The engine may have said that it starts the command when there is no process yet.
    signal: async (name) => {
      while (!(await reaches(name)) && !started.stream.closed) await pause(PAUSE_MS);
    },
    // One may have started another while the others were killed. One that is stuck in the kernel is reached again and
    // again.
    kill: async () => {
      for (let n = 0; n < KILLS && (await reaches('SIGKILL')); n++) await pause(PAUSE_MS);
    },
  };
}

const KILLS = 20;

type Place = Pick<Backend, 'docker' | 'image'> & { readonly run: string; readonly node: RunNode };
type Started = Omit<Command, 'signal' | 'kill'>;

async function inContainer(
  { docker, node }: Place,
  { argv, input, terminal }: CommandOptions,
  mark: string,
): Promise<Started> {
  const Tty = terminal !== undefined;
  const outputs = { AttachStdout: true, AttachStderr: true };
  const one = await docker
    .getContainer(node.id)
    .exec({ Cmd: [...argv], Env: [`${MARK}=${mark}`], Tty, AttachStdin: input, ...outputs });
  const stream = await one.start({ hijack: true, stdin: input, Tty });
  const resize = ({ rows, columns }: Size) => one.resize({ h: rows, w: columns }).catch(hasEnded);
  if (terminal) await resize(terminal);
  return { stream, resize, status: () => statusOf(() => one.inspect()) };
}

/** The engine has no word of its own for that: the status of the answer differs from version to version. */
function hasEnded(): void {}

/** How often and how long to ask for a status: the engine tells it a moment after the end of the output. */
const PAUSE_MS = 50;
const ASKS = 200;

async function statusOf(
  ask: () => Promise<{ readonly Running: boolean; readonly ExitCode: number | null }>,
): Promise<number> {
  for (let asked = 0; asked < ASKS; asked++) {
    const { Running, ExitCode } = await ask().catch(cutOff);
    if (!Running && ExitCode !== null) return ExitCode;
    await pause(PAUSE_MS);
  }
  return cutOff();
}

function cutOff(cause?: Error): never {
  throw new EnvironmentError(
    'the output was cut off before the command ended',
    'see "afbus-topo ps" and "afbus-topo doctor": its node or the host may have ended',
    { cause },
  );
}

/**
 * Arguments: the recorded process of the node, whose child is the node's first one; a mark; the command. nsenter has
 * neither the mark nor the terminal of the command, which it waits for: what ends the command must not end nsenter.
 */
const enter = (setsid: string) => `
read -r first _ < "/proc/$1/task/$1/children"
mark=$2
shift 2
exec nsenter -t "$first" -m -p -n -- ${setsid} sh -c 'export ${MARK}="$1"; shift; exec "$@"' sh "$mark" "$@"`;

/** From a container that sees the processes of the engine's machine. */
async function inProcessNode(
  { docker, image, run, node }: Place,
  { argv, input, terminal }: CommandOptions,
  mark: string,
): Promise<Started> {
  const script = enter(terminal ? 'setsid -c' : '');
  const container = await docker.createContainer({
    ...{ Image: image, Entrypoint: ['sh', '-c', script, 'sh'], Cmd: [node.id, mark, ...argv] },
    ...{ Tty: terminal !== undefined, OpenStdin: input, StdinOnce: input },
    Labels: { [LABEL.command]: run },
    HostConfig: { Privileged: true, PidMode: 'host', NetworkMode: 'none' },
  });
  const gone = () => container.remove({ force: true }).catch(goneAlready);
  const outputs = { stdout: true, stderr: true };
  try {
    const stream = await container.attach({ stream: true, hijack: true, stdin: input, ...outputs });
    await container.start();
    const resize = ({ rows, columns }: Size) => container.resize({ h: rows, w: columns }).catch(hasEnded);
    if (terminal) await resize(terminal);
    const status = () => statusOf(async () => (await container.inspect()).State).finally(gone);
    return { stream: stream as Duplex, resize, status };
  } catch (error) {
    await gone();
    throw error;
  }
}
