// SPDX-License-Identifier: MIT
/** Receives of one socket, and how its connection ended. */
import type { Addon, RawSocket } from './addon.ts';
import { type Columns, columnsOf } from './columns.ts';
import { busError, closedError } from './errors.ts';
import { loadedAddon } from './load.ts';
import { type Message, unpackBatch } from './message.ts';
import { AGAIN, type Attempt, BLOCKED, type Readiness } from './readiness.ts';
import type { End, MarkedReceiveOptions } from './types.ts';

const DEFAULT_MAX = 64;

type Batch = Message[] | Columns;
type Reading = () => Batch | typeof BLOCKED;

export class Receiver {
  readonly #addon: Addon = loadedAddon();
  readonly #raw: RawSocket;
  readonly #readiness: Readiness;
  #end: End | undefined;
  #onEnd: ((end: End) => void) | undefined;
  /** An error that `ended` took from the socket; the next read reports it. */
  #error = 0;
  /** Whether the last read has left nothing in the queue. */
  #emptied = false;
  atEnd = false;

  constructor(raw: RawSocket, readiness: Readiness) {
    this.#raw = raw;
    this.#readiness = readiness;
  }

  receive(options: MarkedReceiveOptions): Promise<Batch> {
    if (this.#raw.fd < 0) return Promise.reject(closedError('recvmsg', false));
    let read: Reading;
    try {
      read = this.#reader(options);
    } catch (error) {
      return Promise.reject(error);
    }
    const { onColumns, signal } = options;
    const attempt = onColumns ? this.#passing(read, onColumns) : read;
    return this.#readiness.run('in', () => (this.#raw.fd < 0 ? [] : attempt()), signal);
  }

  tryReceive(options: MarkedReceiveOptions): Batch {
    if (this.#raw.fd < 0) throw closedError('recvmsg', false);
    if (this.#readiness.waiting('in') > 0)
      throw new Error('a receive of this socket is waiting: its turn comes first');
    const batch = this.#reader(options)();
    return batch === BLOCKED ? [] : batch;
  }

  /** Resolves when the connection has ended, as a read or the kernel has shown. */
  ended(): Promise<End> {
    if (this.#end) return Promise.resolve(this.#end);
    return new Promise((resolve) => {
      this.#onEnd = resolve;
      this.#readiness.watchEnd(() => this.#hangUp());
    });
  }

  closed(): void {
    this.#finish({ why: 'closed' });
  }

  /** An attempt without a result for as long as batches come in columns. */
  #passing(read: Reading, onColumns: (columns: Columns) => void): Attempt<Batch> {
    return () => {
      const batch = read();
      if (batch === BLOCKED || !('count' in batch)) return batch;
      onColumns(batch);
      return this.#emptied ? BLOCKED : AGAIN;
    };
  }

  #reader(options: MarkedReceiveOptions): Reading {
    const { peek = false, max = DEFAULT_MAX, maxBytes = -1, maxControl = -1, nonce } = options;
    const { maxMessages } = this.#addon.layout;
    checkLimit('max', max, 1, maxMessages);
    checkLimit('maxBytes', maxBytes, -1, 0x7fff_ffff);
    checkLimit('maxControl', maxControl, -1, 0x7fff_ffff);
    const flags = peek ? this.#addon.constants.MSG_PEEK : 0;
    return () => this.#take(peek ? 1 : max, flags, maxBytes, maxControl, nonce);
  }

  #take(...request: Parameters<RawSocket['receive']>): Batch | typeof BLOCKED {
    const error = this.#error;
    this.#error = 0;
    const result = error || this.#raw.receive(...request);
    if (typeof result !== 'number') return unpackBatch(this.#addon, result);
    if (result > 0) {
      this.#emptied = (result & this.#addon.layout.emptied) !== 0;
      return columnsOf(this.#addon, result);
    }
    if (result === -this.#addon.constants.EAGAIN) return BLOCKED;
    if (result === 0) {
      this.atEnd = true;
      this.#finish({ why: 'eof' });
      return [];
    }
    throw this.#fail(result);
  }

  #fail(errno: number): Error {
    const error = busError(errno, { syscall: 'recvmsg' });
    this.#finish({ why: 'error', code: error.code });
    return error;
  }

  #hangUp(): void {
    if (this.#end || this.#raw.fd < 0) return;
    const { SOL_SOCKET, SO_ERROR } = this.#addon.constants;
    const [failed, errno] = this.#raw.getInt(SOL_SOCKET, SO_ERROR);
    if (failed === 0 && errno !== 0) {
      this.#error = -errno;
      this.#finish({ why: 'error', code: this.#addon.describeErrno(errno)[0] });
    } else this.#finish({ why: 'hangup' });
  }

  #finish(end: End): void {
    this.#end ??= end;
    this.#onEnd?.(this.#end);
    this.#onEnd = undefined;
  }
}

function checkLimit(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} ${value} is not an integer from ${least} to ${most}`);
  }
}
