// SPDX-License-Identifier: MIT
/** What clients and accepted sockets share: sending, receiving, options and the end of a connection. */

import type { RawSocket } from './addon.ts';
import type { Columns } from './columns.ts';
import { check } from './errors.ts';
import type { FilterInstruction } from './filter.ts';
import { loadedAddon } from './load.ts';
import type { Credentials, Message } from './message.ts';
import { BusOptions } from './options.ts';
import { Readiness } from './readiness.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import type { End, MarkedReceiveOptions, ReceiveOptions, SendOptions, WaitOptions } from './types.ts';

/** A connected bus socket. Use BusClient.connect and BusMaster.accept to get one. */
export abstract class BusSocket extends BusOptions implements AsyncDisposable, Disposable {
  readonly #readiness: Readiness;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  #path: string | undefined;
  #ended: Promise<End> | undefined;

  protected constructor(raw: RawSocket) {
    super(raw);
    this.#readiness = new Readiness(loadedAddon(), raw);
    this.#sender = new Sender(raw, this.#readiness);
    this.#receiver = new Receiver(raw, this.#readiness);
  }

  /** Path of the bus, `@name` for an abstract one. Kept after close. */
  get path(): string {
    this.#path ??= this.nameOf(false).path;
    return this.#path;
  }

  /** The process at the other end as of connect (client: as of listen), SO_PEERCRED. */
  get credentials(): Credentials {
    const [error, pid, uid, gid] = this.raw.peerCredentials();
    check(error, 'getsockopt SO_PEERCRED');
    return { pid, uid, gid };
  }

  /** Security label of the other end, SO_PEERSEC. Throws ENOPROTOOPT if no security module labels sockets. */
  get peerSecurity(): string {
    const label = this.raw.peerSecurity();
    if (typeof label === 'number') throw check(label, 'getsockopt SO_PEERSEC');
    return label.toString('utf8').replace(/\0.*$/s, '');
  }

  /**
   * Sends one message; resolves when every recipient has it in its queue. Waits while a recipient's queue or this
   * socket's own is full. Sends of one socket happen in the order of the calls. `data` must not change before the
   * promise settles.
   *
   * Rejects with BusError: EAGAIN (`nonblocking`), EHOSTUNREACH, EMSGSIZE, ENOBUFS, EPERM, EPIPE, ECONNREFUSED,
   * ENOTCONN, EOPNOTSUPP, ETOOMANYREFS, EBADF (closed), ECANCELED (closed while waiting); or with the signal's reason.
   */
  send(data: Uint8Array | string, options: SendOptions = {}): Promise<void> {
    return this.#sender.send(data, options);
  }

  /** Number of sends that wait for room, or for earlier sends. */
  get pendingSends(): number {
    return this.#readiness.waiting('out');
  }

  /** Whether the kernel made a send of this socket wait for room. */
  get blocked(): boolean {
    return this.#readiness.blocked('out');
  }

  /** Resolves when `blocked` is as asked, at once if it is already. */
  whenBlocked(blocked: boolean, options: WaitOptions = {}): Promise<void> {
    return this.#sender.whenBlocked(blocked, options.signal);
  }

  /**
   * Reads messages: waits for the first, then reads what is queued, up to `max`. Resolves with [] only at the end
   * (`atEnd` is set then). Waiting calls are served in order. Rejects with BusError, or with the signal's reason.
   */
  receive(options?: ReceiveOptions & WaitOptions): Promise<Message[]>;
  receive(options: MarkedReceiveOptions): Promise<Message[] | Columns>;
  receive(options: MarkedReceiveOptions = {}): Promise<Message[] | Columns> {
    return this.#receiver.receive(options);
  }

  /** Reads what is queued now, up to `max`; [] if nothing is, and at the end. Throws while a `receive` waits. */
  tryReceive(options?: ReceiveOptions | number): Message[];
  tryReceive(options: MarkedReceiveOptions): Message[] | Columns;
  tryReceive(options: MarkedReceiveOptions | number = {}): Message[] | Columns {
    return this.#receiver.tryReceive(typeof options === 'number' ? { max: options } : options);
  }

  /** Whether a read has found the end: nothing will come any more. */
  get atEnd(): boolean {
    return this.#receiver.atEnd;
  }

  /** Messages one by one until the end. Each is read when it is asked for, so a slow reader slows its senders down. */
  [Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    return this.messages();
  }

  /** Like iterating over the socket itself, with a signal. */
  async *messages(options: WaitOptions = {}): AsyncGenerator<Message, void, undefined> {
    const one = { ...options, max: 1 };
    for (let batch = await this.receive(one); batch[0]; batch = await this.receive(one)) yield batch[0];
  }

  /** Batches until the end. A batch has left the socket's queue before its first message is seen. */
  async *batches(options: ReceiveOptions & WaitOptions = {}): AsyncGenerator<Message[], void, undefined> {
    for (let batch = await this.receive(options); batch.length > 0; batch = await this.receive(options))
      yield batch;
  }

  /**
   * Resolves when the connection has ended. That is noticed without reading, too. It does not keep the process alive,
   * but it keeps the socket from being garbage-collected.
   */
  get ended(): Promise<End> {
    this.#ended ??= this.#receiver.ended();
    return this.#ended;
  }

  /** Bytes in the receive queue (SIOCINQ). */
  get incomingBytes(): number {
    return check(this.raw.bytesQueued(false), 'ioctl SIOCINQ');
  }

  /** Bytes that were sent and are charged to this socket, because a receiver has not read them yet (SIOCOUTQ). */
  get outgoingBytes(): number {
    return check(this.raw.bytesQueued(true), 'ioctl SIOCOUTQ');
  }

  /** SO_ATTACH_FILTER: runs on each message for this socket; a smaller result shortens its copy, 0 drops it. */
  attachFilter(program: readonly FilterInstruction[]): void {
    this.setFilter(program);
  }

  /** SO_DETACH_FILTER. Throws ENOENT if no filter is attached. */
  detachFilter(): void {
    this.setFilter(null);
  }

  /** shutdown(2). */
  shutdown(how: 'read' | 'write' | 'both'): void {
    const { SHUT_RD, SHUT_WR, SHUT_RDWR } = loadedAddon().constants;
    check(this.raw.shutdown({ read: SHUT_RD, write: SHUT_WR, both: SHUT_RDWR }[how]), 'shutdown');
  }

  /** Closes the descriptor now. Waiting receives resolve to [], waiting sends reject with ECANCELED. */
  close(): void {
    if (this.closed) return;
    // The caller may still ask for these after the close.
    this.rememberNames();
    this.raw.close();
    this.#receiver.closed();
    this.#readiness.flush();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  protected rememberNames(): void {
    void this.path;
  }
}
