// SPDX-License-Identifier: MIT
/** Sends of one socket, in program order. */

import type { RawSocket } from './addon.ts';
import { type AddressParts, formatAddress, toParts } from './address.ts';
import { busError, closedError } from './errors.ts';
import { loadedAddon } from './load.ts';
import { encodePath } from './path.ts';
import { type Attempt, BLOCKED, type Readiness } from './readiness.ts';
import type { SendOptions } from './types.ts';

interface BlockWaiter {
  readonly blocked: boolean;
  readonly settle: () => void;
}

export class Sender {
  readonly #raw: RawSocket;
  readonly #readiness: Readiness;
  readonly #blockWaiters = new Set<BlockWaiter>();

  constructor(raw: RawSocket, readiness: Readiness) {
    this.#raw = raw;
    this.#readiness = readiness;
    readiness.onChange = () => this.#tellBlocked();
  }

  send(data: Uint8Array | string, options: SendOptions): Promise<void> {
    const { nonblocking = false } = options;
    let attempt: Attempt<void>;
    try {
      if (this.#raw.fd < 0) throw closedError('sendmsg', false);
      attempt = this.#attempt(toBytes(data), options, nonblocking);
      // It must neither overtake the sends that wait, nor wait itself.
      if (nonblocking && this.#readiness.waiting('out') > 0)
        throw this.#error(-loadedAddon().constants.EAGAIN, options);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#readiness.run('out', attempt, options.signal);
  }

  whenBlocked(blocked: boolean, signal?: AbortSignal): Promise<void> {
    if (this.#readiness.blocked('out') === blocked) return Promise.resolve();
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#blockWaiters.delete(waiter);
        reject(signal?.reason);
      };
      const settle = (): void => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      const waiter = { blocked, settle };
      signal?.addEventListener('abort', abort, { once: true });
      this.#blockWaiters.add(waiter);
    });
  }

  #tellBlocked(): void {
    if (this.#blockWaiters.size === 0) return;
    const blocked = this.#readiness.blocked('out');
    for (const waiter of this.#blockWaiters) {
      if (waiter.blocked !== blocked) continue;
      this.#blockWaiters.delete(waiter);
      waiter.settle();
    }
  }

  #attempt(data: Uint8Array, options: SendOptions, nonblocking: boolean): Attempt<void> {
    const { EAGAIN } = loadedAddon().constants;
    const to: AddressParts = options.to === undefined ? NOWHERE : toParts(options.to);
    const path = options.path === undefined ? null : encodePath(options.path);
    const fds = options.fds?.length ? Int32Array.from(options.fds, fdNumber) : null;
    const { credentials, flags = 0 } = options;
    const shown = credentials ? Int32Array.of(credentials.pid, credentials.uid, credentials.gid) : null;
    return () => {
      if (this.#raw.fd < 0) throw closedError('sendmsg', true);
      const result = this.#raw.send(data, to.prefix, to.client, path, fds, shown, flags);
      if (result >= 0) return;
      if (result === -EAGAIN && !nonblocking) return BLOCKED;
      throw this.#error(result, options);
    };
  }

  #error(errno: number, { to, path }: SendOptions): Error {
    const parts = to === undefined ? undefined : toParts(to);
    return busError(errno, {
      syscall: 'sendmsg',
      ...(parts && { address: formatAddress(parts.prefix, parts.client) }),
      ...(path !== undefined && { path }),
    });
  }
}

const NOWHERE: AddressParts = { prefix: -1, client: 0 };

function toBytes(data: Uint8Array | string): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  if (!(data instanceof Uint8Array)) throw new TypeError('data is neither a Uint8Array nor a string');
  return data;
}

function fdNumber(source: number | { readonly fd: number }): number {
  const fd = typeof source === 'number' ? source : source.fd;
  if (!Number.isInteger(fd) || fd < 0) throw new TypeError(`not an open descriptor: ${fd}`);
  return fd;
}
