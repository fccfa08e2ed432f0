// SPDX-License-Identifier: MIT
/** What is pending for this process. */

/** Waits for two turns of the event loop: the first may be in the middle, the second serves all that is pending now. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}
