// SPDX-License-Identifier: MIT
/** Starts services, and tells the driver of those that end before they own their name. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import type { Service } from '../driver/activation.ts';
import type { Driver } from '../driver/driver.ts';
import type { Effect } from '../driver/effect.ts';
import { DriverError } from '../driver/error.ts';
import type { Log } from './log.ts';

export interface LauncherOptions {
  readonly log: Log;
  /** What services find in their environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Starts services of the system bus as their users: dbus-daemon-launch-helper. */
  readonly helper?: string;
}

export class Launcher {
  readonly #driver: Driver;
  readonly #perform: (effects: readonly Effect[]) => void;
  readonly #log: Log;
  readonly #environment: Record<string, string>;
  helper: string | undefined;

  constructor(driver: Driver, perform: (effects: readonly Effect[]) => void, options: LauncherOptions) {
    this.#driver = driver;
    this.#perform = perform;
    this.#log = options.log;
    this.#environment = { ...options.environment };
    this.helper = options.helper;
  }

  setEnvironment(variables: Readonly<Record<string, string>>): void {
    Object.assign(this.#environment, variables);
  }

  start(service: Service, timeout: number): void {
    const { name, exec } = service;
    const [program, ...args] = this.helper === undefined ? exec : [this.helper, name];
    this.#log(`starts ${name}`);
    const env = { ...process.env, ...this.#environment };
    const child = spawn(program as string, args, {
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    });
    child.unref();
    const late = setTimeout(() => this.#fail(name, 'TimedOut', timedOut(name, timeout)), timeout);
    late.unref();
    child.once('error', (error) => this.#notExecuted(name, error));
    child.once('exit', () => this.#exited(name, child));
  }

  #notExecuted(name: string, { errno = 0 }: NodeJS.ErrnoException): void {
    const [, why = 'unknown error'] = getSystemErrorMap().get(errno) ?? [];
    const text = why.charAt(0).toUpperCase() + why.slice(1);
    this.#fail(name, 'Spawn.ExecFailed', `Failed to execute program ${name}: ${text}`);
  }

  /** One that ends well may have gone on in the background. */
  #exited(name: string, { exitCode, signalCode }: ChildProcess): void {
    if (signalCode !== null) {
      const signal = constants.signals[signalCode];
      this.#fail(name, 'Spawn.ChildSignaled', `Process ${name} received signal ${signal}`);
    } else if (exitCode !== 0)
      this.#fail(name, 'Spawn.ChildExited', `Process ${name} exited with status ${exitCode}`);
  }

  /** Nothing happens if the name has come meanwhile. */
  #fail(name: string, errorName: string, text: string): void {
    const effects = this.#driver.activation.failed(name, new DriverError(errorName, text));
    if (effects.length > 0) this.#log(text);
    this.#perform(effects);
  }
}

const timedOut = (name: string, timeout: number): string =>
  `Failed to activate service '${name}': timed out (service_start_timeout=${timeout}ms)`;
