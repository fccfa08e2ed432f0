// SPDX-License-Identifier: MIT
/** What a receiver writes into the descriptors of a message. `Pipes`, at the sender, reads it. */
import type { GivenFd, System } from './system.ts';

/**
 * Proves that each descriptor works, and says at which place of the message it came. One that does not work gets no
 * token, which its maker reports. EPIPE means that the maker has gone: no fault of the message.
 */
export function leaveTokens(system: System, receiver: string, fds: readonly GivenFd[]): void {
  for (const [place, { fd }] of fds.entries()) {
    try {
      system.write(fd, token(receiver, place));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    }
  }
}

/** No name has a space in it. */
const token = (receiver: string, place: number): string => `${receiver} ${place}\n`;
