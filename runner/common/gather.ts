// SPDX-License-Identifier: MIT
/** Many small writes of one turn of the event loop as one: each write of its own is a system call, or a TLS record. */

import type { Writable } from 'node:stream';

/** Writes to the stream, together with what else is written in this turn. */
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
