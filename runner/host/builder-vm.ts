// SPDX-License-Identifier: MIT
/** A virtual machine that is booted from a kernel in order to be filled; it ends with this process. */

import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { EnvironmentError, HostDied, Interrupted } from '../common/errors.ts';
import { accessIn } from './access.ts';
import { addressOf } from './address.ts';
import { channel, type Reach } from './channel.ts';
import { causeOfDeath, lastLines, said } from './console.ts';
import { ENDS_WITH_PARENT } from './network.ts';
import { portError } from './ports.ts';
import { kernelArguments, type Machine, machineArguments, QEMU } from './qemu.ts';
import { Qmp } from './qmp.ts';

export interface BuilderOptions {
  readonly machine: Omit<Machine, 'ports' | 'console'>;
  readonly folder: string;
  readonly release: string;
  readonly initrd: string;
  readonly certDir: string;
  readonly signal?: AbortSignal | undefined;
}

const BOOT_DEADLINE = 120_000;

/** Removes the sockets of a machine that has ended: the relay beside it was killed. */
function forget({ docker, channel }: Reach): void {
  for (const url of [docker.host, channel]) {
    const address = addressOf(url);
    if ('path' in address) rmSync(address.path, { force: true });
  }
}

export class BuilderVm {
  readonly #child: ChildProcess;
  readonly #console: string;
  readonly #reach: Reach;
  readonly #ended: Promise<void>;
  readonly qmp: Qmp;

  private constructor(child: ChildProcess, console: string, reach: Reach) {
    this.#child = child;
    this.#console = console;
    this.#reach = reach;
    this.#ended = new Promise((resolve) => {
      child.once('close', () => resolve(forget(reach)));
    });
    if (!child.stdin || !child.stdout) throw new Error('QEMU has no pipes');
    this.qmp = new Qmp(child.stdout, child.stdin);
  }

  static async boot(o: BuilderOptions): Promise<BuilderVm> {
    const access = await accessIn(o.folder, o.certDir);
    if (!access) throw portError(0);
    const console = `${o.folder}/console.log`;
    const machine = machineArguments({ ...o.machine, ports: access.ports, console: { file: console } });
    const qemu = [QEMU, ...machine, '-qmp', 'stdio', ...kernelArguments(o.release, o.initrd)];
    const [program = '', ...args] = access.command([...ENDS_WITH_PARENT, ...qemu]);
    const child = spawn(program, args, {
      cwd: o.folder,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const reach = { docker: { host: access.docker, certDir: o.certDir }, channel: access.channel };
    const vm = new BuilderVm(child, console, reach);
    o.signal?.addEventListener('abort', () => vm.kill(), { once: true });
    await vm.qmp.do('qmp_capabilities').catch(() => {}); // if QEMU ended, the wait for the boot says why
    await vm.#booted(o.signal);
    return vm;
  }

  async #booted(signal?: AbortSignal): Promise<void> {
    const deadline = performance.now() + BOOT_DEADLINE;
    while (!said(this.#console, 'afbus-host: booted')) {
      if (signal?.aborted)
        throw new Interrupted('interrupted while the host image was built', 'start it again');
      if (this.#child.exitCode !== null) throw this.#died('ended while it booted');
      if (performance.now() > deadline) throw this.#died(`did not boot in ${BOOT_DEADLINE / 1000} s`);
      await wait(50);
    }
  }

  /** Runs one of the guest's own scripts; throws unless it exits with 0. */
  async run(...argv: string[]): Promise<void> {
    const stream = await this.#connect(['sh', '-c', '"$@" 2>&1; echo "exit $?"', 'sh', ...argv]);
    let output = '';
    for await (const data of stream) output += data;
    if (output.endsWith('exit 0\n')) return;
    if (this.#child.exitCode !== null) throw this.#died(`ended during ${argv[0]}`);
    throw new EnvironmentError(
      `building the host image failed in ${argv[0]}`,
      'the lines show what it said; "afbus-topo host clean" removes what is built, then try again',
      { lines: output.trimEnd().split('\n').slice(-15) },
    );
  }

  /** Tries again until the guest listens, which is just after it said that it has booted. */
  async #connect(argv: readonly string[]) {
    const deadline = performance.now() + BOOT_DEADLINE;
    for (;;) {
      try {
        return await channel(this.#reach, argv);
      } catch (e) {
        if (this.#child.exitCode !== null) throw this.#died('ended');
        if (performance.now() > deadline) throw e;
        await wait(50);
      }
    }
  }

  /** Powers off with a disk that can be booted again. */
  async halt(): Promise<void> {
    await this.#connect(['/run/afbus/halt']);
    await this.#ended;
  }

  /** Ends QEMU; all that it has to write is on disk then. */
  async quit(): Promise<void> {
    await this.qmp.do('quit');
    await this.#ended;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #died(how: string): HostDied {
    const cause = causeOfDeath(this.#console);
    const complaint = this.#child.stderr?.read()?.toString().trim();
    this.kill();
    return new HostDied(
      `the AF_BUS host ${how} while its image was built${cause ? `: ${cause}` : ''}`,
      'try again; if it happens again, AFBUS_ACCELERATOR=tcg rules out KVM',
      { lines: complaint ? complaint.split('\n') : lastLines(this.#console) },
    );
  }
}
