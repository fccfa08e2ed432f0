// SPDX-License-Identifier: MIT
/** Calls of functions that the program has given to the library. */

/** An error of one is no error of the others, nor of the bus: it ends the process as one in a timer does. */
export function callListener(listener: () => unknown): void {
  try {
    listener();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
