// SPDX-License-Identifier: MIT
/** Ctrl-C once cleans up; twice leaves now and says how to clean up later. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EXIT, Interrupted } from '../common/errors.ts';

export interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
}

/** Ctrl-C, the end asked for by another program, and the end of the terminal. */
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

/** A shell says 128 and the signal's number of a program that a signal has ended. */
function sayHangup(code: number): void {
  if (code === EXIT.interrupted) process.exitCode = EXIT.hangup;
}

/**
 * Work before anything is up, which lets no handler run until it is done: during it a signal ends the process, as it ends
 * one that has no handler. One that has come before is told first: it would be lost together with its handler.
 */
export async function unguarded<T>(work: () => T, signal: AbortSignal): Promise<T> {
  await nextTurn();
  signal.throwIfAborted();
  const guards = SIGNALS.flatMap((name) => process.listeners(name).map((guard) => ({ name, guard })));
  for (const { name, guard } of guards) process.off(name, guard);
  try {
    return work();
  } finally {
    for (const { name, guard } of guards) process.on(name, guard);
  }
}
