// SPDX-License-Identifier: MIT
/** The first Ctrl-C cleans up; the second ends the command at once, and says how to clean up later. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EXIT, Interrupted } from '../common/errors.ts';

/** Ctrl-C, the request of another program to end, and the end of the terminal. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

type Signal = (typeof SIGNALS)[number];

/** What a signal does to the command, as a signal to abort. */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly signal: AbortSignal = this.#controller.signal;
  #handled = false;

  /** From here on a signal is handled. Before, it ends the process, which has started and printed nothing yet. */
  handle(): this {
    if (!this.#handled) for (const name of SIGNALS) process.on(name, this.#handler);
    this.#handled = true;
    return this;
  }

  /**
   * Runs work that lets no handler run until it is done. The first such work of a command has no handlers yet, so that
   * a signal ends it. They must not be taken off for the work instead: a signal that comes just before would be lost.
   * Before later work, signals that have come are handled: work after work, without a turn between, would let none be.
   */
  async during<T>(work: () => T): Promise<T> {
    if (this.#handled) await nextTurn();
    this.signal.throwIfAborted();
    try {
      return work();
    } finally {
      this.handle();
    }
  }

  [Symbol.dispose](): void {
    for (const name of SIGNALS) process.off(name, this.#handler);
  }

  readonly #handler = (name: Signal): void => {
    if (name === 'SIGHUP') process.once('exit', sayHangup);
    if (this.signal.aborted) {
      process.stderr.write('\nleaving at once; "afbus-topo down --all" removes what is left\n');
      process.exit(EXIT.interrupted);
    }
    process.stderr.write('\ninterrupted: cleaning up (again to leave at once)\n');
    this.#controller.abort(new Interrupted('interrupted', 'everything that was started has been taken down'));
  };
}

export const onInterrupt = (): Interrupt => new Interrupt().handle();

/** Sets the exit code that shells use for a program that a signal has ended: 128 plus the signal's number. */
function sayHangup(code: number): void {
  if (code === EXIT.interrupted) process.exitCode = EXIT.hangup;
}
