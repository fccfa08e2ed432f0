// SPDX-License-Identifier: MIT
/** Message buses, each on a private socket: dbus-daemon, dbus-broker and, where the kernel has AF_BUS, this project's. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type OwnedFd, UnixListener, UnixStream } from '../../native/lib/index.ts';
import { type Arg, lengthOf, marshal, parse, type Value } from '../../runner/dbus/index.ts';

export interface RunningBus extends AsyncDisposable {
  readonly name: 'dbus-daemon' | 'dbus-broker' | 'ours';
  /** The path of its socket. */
  readonly path: string;
  readonly pid: number;
  /** What it has written to stderr. */
  readonly log: Log;
  /** The path of its AF_BUS socket, if it has one. */
  readonly afbus?: string;
}

/** A folder for one bus, and the end of both. */
const newFolder = (): string => mkdtempSync('/tmp/dbus-spec-');

const CONFIG = (
  path: string,
  more: string,
) => `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <keep_umask/>
  <listen>unix:path=${path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
  ${more}
</busconfig>
`;

/** dbus-daemon with the policy of session.conf, and more of its configuration's language. */
export async function startDaemon(more = ''): Promise<RunningBus> {
  const folder = newFolder();
  const path = join(folder, 'bus');
  const config = join(folder, 'bus.conf');
  writeFileSync(config, CONFIG(path, more));
  const child = spawn('dbus-daemon', [`--config-file=${config}`, '--nofork', '--print-address=1'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = new Log(child);
  await firstLine(child, log);
  return running('dbus-daemon', child, folder, path, log);
}

/** The command as it is installed: it starts in half the time. */
export const COMMAND = fileURLToPath(new URL('../../dist/runner/bundle/main.js', import.meta.url));

let count = 0;

export interface OursOptions {
  /** The most descriptors that it may have open. */
  readonly descriptors?: number;
}

/** This project's, with the policy of session.conf and more of dbus-daemon's configuration, or without any. */
export async function startOurs(more = '', { descriptors }: OursOptions = {}): Promise<RunningBus> {
  const folder = newFolder();
  const path = join(folder, 'bus');
  const config = join(folder, 'bus.conf');
  if (more !== '') writeFileSync(config, CONFIG(path, more));
  const name = `dbus-spec-${process.pid}-${count++}`;
  const args = [
    COMMAND,
    'dbus-daemon',
    '--address',
    `afbus:abstract=${name}`,
    '--listen',
    `unix:path=${path}`,
    '--print-address',
    ...(more === '' ? [] : ['--config', config]),
  ];
  const limit = descriptors === undefined ? '' : `ulimit -n ${descriptors}; `;
  const child = spawn('sh', ['-c', `${limit}exec "$0" "$@"`, process.execPath, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = new Log(child);
  await firstLine(child, log);
  return { ...running('ours', child, folder, path, log), afbus: `@${name}` };
}

/**
 * A socket at which nobody listens, and beside it the address of this bus: a program that reaches the bus by it has gone to
 * AF_BUS itself.
 */
export function deafSocket(path: string, { afbus }: Pick<RunningBus, 'afbus'>): string {
  UnixListener.listen(path).close();
  symlinkSync(`afbus:abstract=${afbus?.slice(1)}`, `${path}.afbus`);
  return path;
}

/** The policy that allows everything, as dbus-broker's controller says it. */
const EVERYONE = 0xffff_ffff;
const ANY_MESSAGE: Value = [true, 1n, '', '', '', '', 0, 0, 0n, 0xffff_ffff_ffff_ffffn];
const BATCH = 'bta(btbs)a(btssssuutt)a(btssssuutt)';
const POLICY: Arg = {
  type: `(a(u(${BATCH}))a(buu(${BATCH}))a(ss)bs)`,
  value: [
    [[EVERYONE, [true, 1n, [[true, 1n, true, '']], [ANY_MESSAGE], [ANY_MESSAGE]]]],
    [],
    [],
    false,
    'session',
  ],
};

/** dbus-broker with a controller that allows everything and knows no service. */
export async function startBroker(...flags: readonly string[]): Promise<RunningBus> {
  const folder = newFolder();
  const path = join(folder, 'bus');
  const [ours, its] = UnixStream.pair();
  using listener = UnixListener.listen(path);
  const args = ['--controller', '3', '--machine-id', `${'0'.repeat(31)}1`, ...flags];
  const child = spawn('dbus-broker', args, { stdio: ['ignore', 'ignore', 'pipe', its.fd] });
  its.close();
  const log = new Log(child);
  await once(child, 'spawn');
  await addListener(ours, listener);
  // Held as long as the broker lives, which ends with its controller.
  child.once('exit', () => ours.close());
  void drain(ours);
  return running('dbus-broker', child, folder, path, log);
}

async function addListener(controller: UnixStream, listener: { readonly fd: number }): Promise<void> {
  await controller.write(Buffer.from('\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n'));
  let answer = '';
  while (!answer.includes('AGREE_UNIX_FD\r\n'))
    answer += (await controller.receive()).data.toString('latin1');
  const call = marshal(
    {
      ...{ type: 'method_call', endian: 'little', path: '/org/bus1/DBus/Broker' },
      ...{ interface: 'org.bus1.DBus.Broker', member: 'AddListener', unixFds: 1 },
      args: [
        { type: 'o', value: '/org/bus1/DBus/Listener/0' },
        { type: 'h', value: 0 },
        { type: 'v', value: POLICY },
      ],
    },
    1,
  );
  await controller.write(call, { fds: [listener as OwnedFd] });
  let bytes = Buffer.alloc(0);
  while (bytes.length < (lengthOf(bytes) ?? 16))
    bytes = Buffer.concat([bytes, (await controller.receive()).data]);
  const reply = parse(bytes.subarray(0, lengthOf(bytes)));
  if (reply.type !== 'method_return') throw new Error(`the broker refuses its listener: ${reply.errorName}`);
}

async function drain(controller: UnixStream): Promise<void> {
  while ((await controller.receive()).data.length > 0);
}

/** What a daemon writes to stderr, which comes here at some time after it was written. */
export class Log {
  text = '';
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.on('data', (data) => {
      this.text += data;
    });
  }

  /** Resolves once a part of it is as wanted; rejects with all of it if the daemon ends before. */
  async says(wanted: RegExp): Promise<void> {
    while (!wanted.test(this.text)) {
      const more = once(this.#child.stderr as NodeJS.ReadableStream, 'data').then(() => true);
      const ended = once(this.#child, 'close').then(() => false);
      if (!(await Promise.race([more, ended]))) throw new Error(`no ${wanted} in ${this.text}`);
    }
  }
}

async function firstLine(child: ChildProcess, log: Log): Promise<string> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`it did not start: ${log.text}`)));
  const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string];
  return line;
}

function running(
  name: RunningBus['name'],
  child: ChildProcess,
  folder: string,
  path: string,
  log: Log,
): RunningBus {
  return {
    ...{ name, path, pid: child.pid as number, log },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill();
        await once(child, 'exit');
      }
      rmSync(folder, { recursive: true });
    },
  };
}
