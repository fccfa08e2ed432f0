// SPDX-License-Identifier: MIT
/** Limits the work on sockets in one turn of the event loop, so that a busy bus does not starve other work. */

const CALLS_PER_TURN = 128;

let left = CALLS_PER_TURN;
let refilling = false;

/** Whether this turn has room for `calls` more; if not, try again in a `setImmediate`. */
export function takeTurn(calls: number): boolean {
  if (!refilling) {
    refilling = true;
    // Unreferenced, so that this does not keep an otherwise idle process alive.
    setImmediate(refill).unref();
  }
  if (left < calls) return false;
  left -= calls;
  return true;
}

function refill(): void {
  refilling = false;
  left = CALLS_PER_TURN;
}
