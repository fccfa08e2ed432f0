// SPDX-License-Identifier: MIT
/** connect(2) that waits for room in the backlog without blocking the event loop. */
import type { RawSocket } from './addon.ts';
import { check } from './errors.ts';
import { loadedAddon } from './load.ts';
import { encodePath } from './path.ts';

/**
 * How long one attempt may block a thread of libuv's pool, and how long an aborted connect may keep the socket open.
 */
const TRY_MILLISECONDS = 100;

/**
 * The kernel gives a connecting socket no event for room in the backlog, so this waits in the thread pool, by attempts
 * with a time limit. If many sockets wait they take turns there, and file system calls get through between them.
 */
export async function connectSocket(raw: RawSocket, path: string, signal?: AbortSignal): Promise<void> {
  const name = encodePath(path);
  const full = -loadedAddon().constants.EAGAIN;
  let result = raw.connect(name);
  while (result === full) {
    result = await waitInPool(raw, name);
    signal?.throwIfAborted();
  }
  check(result, 'connect', { path });
}

function waitInPool(raw: RawSocket, name: Buffer): Promise<number> {
  return new Promise((resolve) => raw.connectWaiting(name, TRY_MILLISECONDS, resolve));
}
