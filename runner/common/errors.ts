// SPDX-License-Identifier: MIT
/** Everything that can go wrong outside a verdict; each error says what happened and what to do next. */

/** Exit codes of `afbus-topo`. */
export const EXIT = {
  pass: 0,
  fail: 1,
  invalid: 2,
  environment: 4,
  timeout: 5,
  hangup: 129,
  interrupted: 130,
  hostDied: 255,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

interface Cause {
  readonly cause?: unknown;
  /** Log or console lines about the error, oldest first. */
  readonly lines?: readonly string[];
}

/** An error for people: one sentence, one hint, the lines that show it. */
export abstract class TopoError extends Error {
  abstract readonly exitCode: ExitCode;
  readonly hint: string;
  readonly lines: readonly string[];

  constructor(message: string, hint: string, more: Cause = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = new.target.name;
    this.hint = hint;
    this.lines = more.lines ?? [];
  }
}

/** The command line or a file cannot be used. */
export class InvalidInput extends TopoError {
  override readonly exitCode = EXIT.invalid;
}

/** The machine, the host, the engine or a container broke or lacks something; this says nothing about the bus. */
export class EnvironmentError extends TopoError {
  override readonly exitCode = EXIT.environment;
}

/** A process of the topology ended although nobody asked it to. */
export class AgentCrashed extends EnvironmentError {}

/** The run's deadline passed; the message says what each step waited for. */
export class RunTimeout extends TopoError {
  override readonly exitCode = EXIT.timeout;
}

/** Ctrl-C, or the caller's signal. */
export class Interrupted extends TopoError {
  override readonly exitCode = EXIT.interrupted;
}

/** The kernel of the AF_BUS host panicked or hung, or its virtual machine ended. */
export class HostDied extends TopoError {
  override readonly exitCode = EXIT.hostDied;
}
