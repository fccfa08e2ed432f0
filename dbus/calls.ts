// SPDX-License-Identifier: MIT
/** Calls that wait for their replies. */
import { DRIVER, isUnique } from '../runner/dbus/index.ts';
import { valuesOf } from './body.ts';
import type { Received } from './connection.ts';
import { DbusError, ERROR } from './error.ts';

interface Call {
  readonly destination: string;
  readonly replies: PromiseWithResolvers<Received>;
}

export interface Patience {
  /** Milliseconds until NoReply; Infinity: none. */
  readonly timeout: number;
  readonly signal?: AbortSignal;
}

export class Calls {
  readonly #waiting = new Map<number, Call>();

  has(serial: number): boolean {
    return this.#waiting.has(serial);
  }

  /** Resolves to the reply; rejects with DbusError, or the signal's reason. */
  async wait(serial: number, destination: string, { timeout, signal }: Patience): Promise<Received> {
    signal?.throwIfAborted();
    const replies = Promise.withResolvers<Received>();
    const late = () =>
      replies.reject(new DbusError(`${ERROR}NoReply`, `${destination} has not replied within ${timeout} ms`));
    const timer = Number.isFinite(timeout) ? setTimeout(late, timeout) : undefined;
    const abort = () => replies.reject(signal?.reason);
    signal?.addEventListener('abort', abort);
    this.#waiting.set(serial, { destination, replies });
    try {
      return await replies.promise;
    } finally {
      this.#waiting.delete(serial);
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Whether the message is the answer to a call that waits. */
  answer(message: Received): boolean {
    const call = this.#waiting.get(message.replySerial ?? 0);
    if (call === undefined || !mayAnswer(call, message)) return false;
    if (message.type === 'error') {
      for (const fd of message.fds) fd.close();
      call.replies.reject(new DbusError(message.errorName ?? `${ERROR}Failed`, textOf(message)));
    } else call.replies.resolve(message);
    return true;
  }

  /** Nobody will answer any more. */
  fail(serial: number, error: unknown): void {
    this.#waiting.get(serial)?.replies.reject(error);
  }

  failAll(error: unknown): void {
    for (const serial of this.#waiting.keys()) this.fail(serial, error);
  }
}

/** The master answers for those that it cannot reach. A well-known name says not which client owns it. */
const mayAnswer = ({ destination }: Call, { sender }: Received): boolean =>
  sender === DRIVER || sender === destination || !(isUnique(destination) || destination === DRIVER);

function textOf({ args }: Received): string {
  const [text] = valuesOf(args);
  return typeof text === 'string' ? text : '';
}
