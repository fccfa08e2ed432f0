// SPDX-License-Identifier: MIT
/** Ctrl-C once cleans up; twice leaves now and says how to clean up later. */

import { EXIT, Interrupted } from '../common/errors.ts';

export interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
}

export function onInterrupt(): Interrupt {
  const controller = new AbortController();
  const handler = () => {
    if (controller.signal.aborted) {
      process.stderr.write('\nleaving at once; "afbus-topo down --all" removes what is left\n');
      process.exit(EXIT.interrupted);
    }
    process.stderr.write('\ninterrupted: cleaning up (again to leave at once)\n');
    controller.abort(new Interrupted('interrupted', 'everything that was started has been taken down'));
  };
  process.on('SIGINT', handler).on('SIGTERM', handler);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => void process.off('SIGINT', handler).off('SIGTERM', handler),
  };
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Work before anything is up, which lets no handler run until it is done: during it a signal ends the process, as it ends
 * one that has no handler.
 */
export function unguarded<T>(work: () => T): T {
  const guards = SIGNALS.flatMap((name) => process.listeners(name).map((guard) => ({ name, guard })));
  for (const { name, guard } of guards) process.off(name, guard);
  try {
    return work();
  } finally {
    for (const { name, guard } of guards) process.on(name, guard);
  }
}
