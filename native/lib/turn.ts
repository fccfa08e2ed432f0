// SPDX-License-Identifier: MIT
/** Bounds the work that one turn of the event loop does on sockets, so that a busy bus starves nobody else. */

const CALLS_PER_TURN = 128;

let left = CALLS_PER_TURN;
let refilling = false;

/** Whether this turn has room for `calls` more; where not, come back in a `setImmediate`. */
export function takeTurn(calls: number): boolean {
  if (!refilling) {
    refilling = true;
    // Unreferenced: bookkeeping must not keep a process alive that has nothing else to do.
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
