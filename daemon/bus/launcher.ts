// SPDX-License-Identifier: MIT
/** Starts services, and tells the driver about those that end before they own their name. */
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
  /** The environment of services. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where services write what is no error, as spawn() names it. By default, the daemon's own output. */
  readonly output?: number;
  /** Starts services of the system bus as their users: dbus-daemon-launch-helper. */
  readonly helper?: string;
}

export class Launcher {
  readonly #driver: Driver;
  readonly #perform: (effects: readonly Effect[]) => void;
  readonly #log: Log;
  readonly #environment: Record<string, string>;
  readonly #output: number | 'inherit';
  /** The last process of each service. */
  readonly #latest = new Map<string, ChildProcess>();
  helper: string | undefined;

  constructor(driver: Driver, perform: (effects: readonly Effect[]) => void, options: LauncherOptions) {
    this.#driver = driver;
    this.#perform = perform;
    this.#log = options.log;
    this.#environment = { ...options.environment };
    this.#output = options.output ?? 'inherit';
    this.helper = options.helper;
  }

  setEnvironment(variables: Readonly<Record<string, string>>): void {
    Object.assign(this.#environment, variables);
  }

  start(service: Service, timeout: number): void {
    const { name, exec } = service;
    const [program, ...args] = this.helper === undefined ? exec : [this.helper, name];
    this.#log(`starts ${name}`);
    let child: ChildProcess;
    try {
      child = this.#spawn(program as string, args);
    } catch (error) {
      this.#fail(name, notExecuted(name, error as NodeJS.ErrnoException));
      return;
    }
    child.unref();
    this.#latest.set(name, child);
    const fail = (error: DriverError | undefined): void => {
      // The failure of an earlier process of this name does not concern a later start.
      if (error && this.#latest.get(name) === child) this.#fail(name, error);
    };
    const giveUp = (): void => {
      // Its successor would come on top of it, and each one stay.
      if (this.#latest.get(name) === child && this.#driver.activation.isStarting(name)) child.kill('SIGKILL');
      fail(timedOut(name, timeout));
    };
    setTimeout(giveUp, timeout).unref();
    child.once('error', (error) => fail(notExecuted(name, error)));
    child.once('exit', () => fail(exited(name, child)));
  }

  /** Throws some of the errors for which a program cannot be executed; the others are events of the child. */
  #spawn(program: string, args: readonly string[]): ChildProcess {
    return spawn(program, args, {
      env: { ...process.env, ...this.#environment },
      stdio: ['ignore', this.#output, 'inherit'],
      detached: true,
    });
  }

  /** Does nothing if the name has an owner by now. */
  #fail(name: string, error: DriverError): void {
    const { activation } = this.#driver;
    if (!activation.isStarting(name)) return;
    this.#log(error.message);
    this.#perform(activation.failed(name, error));
  }
}

const timedOut = (name: string, timeout: number): DriverError =>
  new DriverError(
    'TimedOut',
    `Failed to activate service '${name}': timed out (service_start_timeout=${timeout}ms)`,
  );

/** Node itself refuses an empty path or a NUL byte: such an error has no errno. */
function notExecuted(name: string, { errno = 0, message }: NodeJS.ErrnoException): DriverError {
  const [, why = message] = getSystemErrorMap().get(errno) ?? [];
  const text = why.charAt(0).toUpperCase() + why.slice(1);
  return new DriverError('Spawn.ExecFailed', `Failed to execute program ${name}: ${text}`);
}

/** No error if it exits with 0: the service may have gone to the background. */
function exited(name: string, { exitCode, signalCode }: ChildProcess): DriverError | undefined {
  if (signalCode !== null) {
    const signal = constants.signals[signalCode];
    return new DriverError('Spawn.ChildSignaled', `Process ${name} received signal ${signal}`);
  }
  if (exitCode === 0) return undefined;
  return new DriverError('Spawn.ChildExited', `Process ${name} exited with status ${exitCode}`);
}
