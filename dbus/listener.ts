// SPDX-License-Identifier: MIT
/** Calls functions that the program has given to the library. */

/** An error in one function does not affect the others or the bus: it ends the process like an error in a timer. */
export function callListener(listener: () => unknown): void {
  try {
    listener();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
