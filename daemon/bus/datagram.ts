// SPDX-License-Identifier: MIT
/** Parses a datagram of a native client, which may contain anything. */
import type { Message, OwnedFd } from '../../native/lib/index.ts';
import { check, type Header, NotDbus } from '../../runner/dbus/index.ts';

/**
 * Throws NotDbus for what is no D-Bus message, or comes with another number of descriptors than it states: on a stream
 * these would become those of other messages.
 */
export function checkMessage({ data, fds }: Message): Header {
  const header = check(data);
  const { unixFds = 0 } = header;
  if (unixFds !== fds.length)
    throw new NotDbus(`it says that it has ${unixFds} descriptors, and has ${fds.length}`, 0);
  return header;
}

export function closeAll(fds: readonly OwnedFd[]): void {
  for (const fd of fds) fd.close();
}
