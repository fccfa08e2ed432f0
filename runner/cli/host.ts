// SPDX-License-Identifier: MIT
/** `host …`: the AF_BUS host by hand. */

import { EnvironmentError, InvalidInput } from '../common/errors.ts';
import {
  build,
  clean,
  consoleLines,
  type Host,
  type KernelVersion,
  shell,
  start,
  status,
  stop,
} from '../host/host.ts';
import { environmentOf } from '../provision/engine.ts';
import { onInterrupt } from './interrupt.ts';
import { Ui } from './ui.ts';

interface HostFlags {
  readonly kernel: KernelVersion;
  readonly format?: 'text' | 'json';
  readonly port?: string;
}

export const hostVerbs = {
  build: (flags) =>
    staged('build', async (work) => {
      const image = await build({ ...flags, ...work });
      console.log(`${image.folder}  Linux ${image.release}, ${image.acceleratorReason}`);
    }),
  start: (flags) => {
    const port = flags.port === undefined ? undefined : portNumber(flags.port);
    return staged('start', async (work) =>
      print(await start({ kernel: flags.kernel, port, ...work }), flags.format),
    );
  },
  stop: async (flags) => {
    await stop(flags);
    console.error(`no host runs Linux ${flags.kernel} any more`);
  },
  status: async (flags) => {
    const now = await status(flags);
    if (flags.format === 'json')
      console.log(JSON.stringify({ schemaVersion: 1, kernel: flags.kernel, ...now }, null, 2));
    else if (now.state === 'running') print(now.host);
    else console.log(now.state === 'stale' ? `stale: ${now.reason}` : now.state);
  },
  shell: async (flags) => shell(await running(flags)),
  logs: async (flags) => {
    const now = await status(flags);
    const file =
      now.state === 'running' ? now.host.consoleFile : now.state === 'stale' ? now.consoleFile : null;
    if (!file) throw notRunning(flags);
    console.log(consoleLines(file).join('\n'));
  },
  clean: () => staged('clean', (work) => clean(work)),
} as const satisfies Record<string, Verb>;

type Verb = (flags: HostFlags) => Promise<void>;

type Work = {
  readonly progress: (update: { title: string; detail?: string }) => void;
  readonly signal: AbortSignal;
};

async function staged(title: string, work: (with_: Work) => Promise<void>): Promise<void> {
  using interrupt = onInterrupt();
  await new Ui().stage(title, (detail) =>
    work({
      signal: interrupt.signal,
      progress: (update) => detail(update.detail ? `${update.title}: ${update.detail}` : update.title),
    }),
  );
}

async function running(flags: HostFlags): Promise<Host> {
  const now = await status(flags);
  if (now.state === 'running') return now.host;
  throw notRunning(flags);
}

const notRunning = ({ kernel }: HostFlags) =>
  new EnvironmentError(`no host runs Linux ${kernel}`, `start one: afbus-topo host start --kernel ${kernel}`);

function print(host: Host, format?: string): void {
  if (format === 'json') {
    console.log(JSON.stringify(host, null, 2));
    return;
  }
  const variables = Object.entries(environmentOf(host.docker)).map(([name, value]) => `${name}=${value}`);
  console.log(`running: Linux ${host.release}, ${host.acceleratorReason}, pid ${host.pid}, since ${host.startedAt}
use its engine with:
  export ${variables.join(' ')}`);
  const { exposed } = host;
  if (exposed) console.log(`other users can keep you out of it: ${exposed.why}\nhint: ${exposed.hint}`);
}

function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new InvalidInput(`"${text}" is no TCP port`, 'give a number from 1 to 65535, or leave --port out');
}
