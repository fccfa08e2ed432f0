// SPDX-License-Identifier: MIT
/** Joins the small writes of one turn of the event loop: each single write would be a system call, or a TLS record. */

import type { Writable } from 'node:stream';

/** Returns a function that writes to the stream, together with all other writes of this turn. */
export function gathering(stream: Writable): (data: string | Buffer) => void {
  let corked = false;
  const uncork = () => {
    corked = false;
    stream.uncork();
  };
  return (data) => {
    if (!corked) {
      corked = true;
      stream.cork();
      process.nextTick(uncork);
    }
    stream.write(data);
  };
}
