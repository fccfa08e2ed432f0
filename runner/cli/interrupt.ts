// SPDX-License-Identifier: MIT
/** The first Ctrl-C cleans up; the second ends the command at once, and says how to clean up later. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EXIT, Interrupted } from '../common/errors.ts';

export interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
}

/** Ctrl-C, the request of another program to end, and the end of the terminal. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

type Signal = (typeof SIGNALS)[number];

export function onInterrupt(): Interrupt {
  const controller = new AbortController();
  const handler = (name: Signal) => {
    if (name === 'SIGHUP') process.once('exit', sayHangup);
    if (controller.signal.aborted) {
      process.stderr.write('\nleaving at once; "afbus-topo down --all" removes what is left\n');
      process.exit(EXIT.interrupted);
    }
    process.stderr.write('\ninterrupted: cleaning up (again to leave at once)\n');
    controller.abort(new Interrupted('interrupted', 'everything that was started has been taken down'));
  };
  for (const name of SIGNALS) process.on(name, handler);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const name of SIGNALS) process.off(name, handler);
    },
  };
}

/** Sets the exit code that shells use for a program that a signal has ended: 128 plus the signal's number. */
function sayHangup(code: number): void {
  if (code === EXIT.interrupted) process.exitCode = EXIT.hangup;
}

/** Runs work after the handlers of all signals that have come before: work that follows work lets none of them run. */
export async function guarded<T>(work: () => T, signal: AbortSignal): Promise<T> {
  await nextTurn();
  signal.throwIfAborted();
  return work();
}

/**
 * Runs work that lets no handler run until it is done, before anything is up. A signal then ends the process, as if
 * there were no handler. A signal that has come before is handled first, or it would be lost when its handler is
 * removed.
 */
export async function unguarded<T>(work: () => T, signal: AbortSignal): Promise<T> {
  return await guarded(() => {
    const guards = SIGNALS.flatMap((name) => process.listeners(name).map((guard) => ({ name, guard })));
    for (const { name, guard } of guards) process.off(name, guard);
    try {
      return work();
    } finally {
      for (const { name, guard } of guards) process.on(name, guard);
    }
  }, signal);
}
