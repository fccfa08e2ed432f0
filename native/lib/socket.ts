// SPDX-License-Identifier: MIT
/** What clients and accepted sockets share: sending, receiving, options and the end of a connection. */

import type { RawSocket } from './addon.ts';
import { check } from './errors.ts';
import type { FilterInstruction } from './filter.ts';
import { loadedAddon } from './load.ts';
import type { Credentials, Message } from './message.ts';
import { BusOptions } from './options.ts';
import { Readiness } from './readiness.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import type { End, ReceiveOptions, SendOptions, WaitOptions } from './types.ts';

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

  /** Security label of the other end, SO_PEERSEC. Throws ENOPROTOOPT where no security module labels sockets. */
  get peerSecurity(): string {
    const label = this.raw.peerSecurity();
    if (typeof label === 'number') throw check(label, 'getsockopt SO_PEERSEC');
    return label.toString('utf8').replace(/\0.*$/s, '');
  }

  /**
   * Sends one message; resolved when every recipient has it in its queue. Waits where a recipient's queue or this
   * socket's own is full. Sends of one socket happen in the order of the calls. `data` must not change before it settles.
   *
   * Rejects with BusError: EAGAIN (`nonblocking`), EHOSTUNREACH, EMSGSIZE, ENOBUFS, EPERM, EPIPE, ECONNREFUSED,
   * ENOTCONN, EOPNOTSUPP, ETOOMANYREFS, EBADF (closed), ECANCELED (closed while waiting); or with the signal's reason.
   */
  send(data: Uint8Array | string, options: SendOptions = {}): Promise<void> {
    return this.#sender.send(data, options);
  }

  /** Sends that wait, for room or for those before them. */
  get pendingSends(): number {
    return this.#readiness.waiting('out');
  }

  /** Whether the kernel made a send of this socket wait for room. */
  get blocked(): boolean {
    return this.#readiness.blocked('out');
  }

  /** Resolved once `blocked` is as asked, at once where it is already. */
  whenBlocked(blocked: boolean, options: WaitOptions = {}): Promise<void> {
    return this.#sender.whenBlocked(blocked, options.signal);
  }

  /**
   * Takes messages: waits for the first, then takes what is there, up to `max`. Resolves to [] at the end only
   * (`atEnd` is set then). Calls that wait are served in order. Rejects with BusError, or with the signal's reason.
   */
  receive(options: ReceiveOptions & WaitOptions = {}): Promise<Message[]> {
    return this.#receiver.receive(options, options.signal);
  }

  /** Takes what is there now, up to `max`; [] where nothing is, and at the end. Throws while a `receive` waits. */
  tryReceive(options: ReceiveOptions | number = {}): Message[] {
    return this.#receiver.tryReceive(typeof options === 'number' ? { max: options } : options);
  }

  /** A read found the end: nothing will come any more. */
  get atEnd(): boolean {
    return this.#receiver.atEnd;
  }

  /** Messages one by one until the end; takes the next when it is asked for, so that a slow reader slows its senders. */
  [Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    return this.messages();
  }

  /** As the iteration of the socket itself, with a signal. */
  async *messages(options: WaitOptions = {}): AsyncGenerator<Message, void, undefined> {
    const one = { ...options, max: 1 };
    for (let batch = await this.receive(one); batch[0]; batch = await this.receive(one)) yield batch[0];
  }

  /** Batches until the end; a batch is out of the socket's queue before its first message is looked at. */
  async *batches(options: ReceiveOptions & WaitOptions = {}): AsyncGenerator<Message[], void, undefined> {
    for (let batch = await this.receive(options); batch.length > 0; batch = await this.receive(options))
      yield batch;
  }

  /**
   * Resolved when the connection ends. Noticed without reading as well; does not keep the process alive, and a socket
   * that is only watched by it is not garbage-collected.
   */
  get ended(): Promise<End> {
    this.#ended ??= this.#receiver.ended();
    return this.#ended;
  }

  /** Bytes in the receive queue (SIOCINQ). */
  get incomingBytes(): number {
    return check(this.raw.bytesQueued(false), 'ioctl SIOCINQ');
  }

  /** Bytes sent and charged to this socket, not yet taken by their receivers (SIOCOUTQ). */
  get outgoingBytes(): number {
    return check(this.raw.bytesQueued(true), 'ioctl SIOCOUTQ');
  }

  /** SO_ATTACH_FILTER: runs on each message for this socket; a smaller result cuts its copy, 0 drops it. */
  attachFilter(program: readonly FilterInstruction[]): void {
    this.setFilter(program);
  }

  /** SO_DETACH_FILTER. Throws ENOENT where none is attached. */
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
    // What the caller may still ask a closed socket for.
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
