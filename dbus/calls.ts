// SPDX-License-Identifier: MIT
/** Calls that wait for their replies. */
import { DRIVER, isUnique } from '../runner/dbus/index.ts';
import { valuesOf } from './body.ts';
import { discard, type Received } from './connection.ts';
import { DbusError, ERROR } from './error.ts';

interface Call extends PromiseWithResolvers<Received> {
  readonly destination: string;
}

export interface Waiting {
  /** Milliseconds until NoReply. */
  readonly timeout: number;
  readonly signal?: AbortSignal;
}

/** Node's longest timer in milliseconds: 24 days. */
const MAX_TIMER = 2 ** 31 - 1;

export class Calls {
  readonly #waiting = new Map<number, Call>();

  has(serial: number): boolean {
    return this.#waiting.has(serial);
  }

  /**
   * Sends a call and resolves with its reply. The signal passed to `send` is aborted when the call ends, so that a
   * message that still waits is never sent. Rejects with DbusError, RangeError, what `send` rejects with, or the
   * signal's reason.
   */
  async run(
    serial: number,
    destination: string,
    { timeout, signal }: Waiting,
    send: (ended: AbortSignal) => Promise<void>,
  ): Promise<Received> {
    if (!(timeout >= 0)) throw new RangeError(`a timeout is 0 ms or more, not ${timeout}`);
    signal?.throwIfAborted();
    const call = { destination, ...Promise.withResolvers<Received>() };
    const ended = new AbortController();
    const late = () =>
      call.reject(new DbusError(`${ERROR}NoReply`, `${destination} has not replied within ${timeout} ms`));
    const timer = timeout <= MAX_TIMER ? setTimeout(late, timeout) : undefined;
    const abort = () => call.reject(signal?.reason);
    signal?.addEventListener('abort', abort);
    this.#waiting.set(serial, call);
    try {
      send(ended.signal).catch(call.reject);
      return await call.promise;
    } finally {
      this.#waiting.delete(serial);
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      // An own reason, since the default one is an exception with a stack, made for every call.
      ended.abort(null);
    }
  }

  /** Whether the message answers a call that waits. */
  answer(message: Received): boolean {
    const { type, replySerial = 0 } = message;
    const call = this.#waiting.get(replySerial);
    if (type === 'unknown' || call === undefined || !mayAnswer(call, message)) return false;
    this.#waiting.delete(replySerial);
    if (type === 'error') {
      discard(message);
      call.reject(errorOf(message));
    } else call.resolve(message);
    return true;
  }

  /** Ends all calls: no reply will come any more. */
  failAll(error: DbusError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
  }
}

/** The master answers for clients that it cannot reach. If a well-known name was called, the owner is not known. */
const mayAnswer = ({ destination }: Call, { sender }: Received): boolean =>
  sender === DRIVER || sender === destination || !(isUnique(destination) || destination === DRIVER);

function errorOf({ errorName = `${ERROR}Failed`, args }: Received): DbusError {
  const [text] = valuesOf(args);
  return new DbusError(errorName, typeof text === 'string' && text !== '' ? text : errorName);
}
