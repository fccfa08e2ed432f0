// SPDX-License-Identifier: MIT
/** connect(2) that waits for room in the backlog without holding up the event loop. */
import type { RawSocket } from './addon.ts';
import { check } from './errors.ts';
import { loadedAddon } from './load.ts';
import { encodePath } from './path.ts';

/** How long one try may hold a thread of libuv's pool, and an abort may leave the socket open. */
const TRY_MILLISECONDS = 100;

/**
 * The kernel tells a connecting socket of no room by no event, so a full backlog is waited for in the thread pool,
 * by tries that the kernel ends: many that wait take turns there, and file system calls get through between them.
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
