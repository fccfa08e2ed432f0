// SPDX-License-Identifier: MIT
/**
 * Simulated sockets, with the members that agents use. Each system call is a step of its process, so that other
 * processes run in between. A call that waits has an entry in a queue here, and at whatever the kernel lets it wait
 * for.
 */
import type {
  AcceptedSocket,
  ClientSocket,
  End,
  Interrupt,
  Message,
  ReadOptions,
  ReceiveOptions,
  SendOptions,
  Socket,
} from '../agent/system.ts';
import type { Address } from '../common/address.ts';
import type { Credentials } from '../common/credentials.ts';
import { parsed } from '../dbus/index.ts';
import * as model from '../model/index.ts';
import { errorOf } from './errno.ts';
import type { WriteEnd } from './files.ts';
import type { Datagram, Kernel } from './kernel.ts';
import type { Owner } from './owner.ts';

interface Send {
  readonly datagram: Datagram;
  readonly nonblocking: boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Receive extends ReceiveOptions {
  readonly resolve: (batch: Message[]) => void;
  readonly reject: (error: unknown) => void;
}

const NO_FDS: Message['fds'] = [];

export class SimSocket implements Socket {
  readonly kernel: Kernel;
  readonly owner: Owner;
  readonly endpoint: model.Endpoint;
  closed = false;
  atEnd = false;
  blocked = false;
  passCredentials: boolean;
  passSequence: boolean;
  /** The endpoint in whose line it waits. */
  waitsFor: model.Endpoint | undefined;
  readonly #sends: Send[] = [];
  #receive: Receive | undefined;
  /** The signal that the latest receives share; it has one listener, not one for each of them. */
  #signal: Interrupt | undefined;
  #reading = false;
  #trying = false;
  readonly #blockWaiters = new Set<{ blocked: boolean; settle: () => void }>();
  #end: End | undefined;
  #ended: PromiseWithResolvers<End> | undefined;
  /** An error that `ended` has consumed; the next read reports it. */
  #error: string | undefined;

  constructor(kernel: Kernel, owner: Owner, endpoint: model.Endpoint, passed: boolean) {
    this.kernel = kernel;
    this.owner = owner;
    this.endpoint = endpoint;
    this.passCredentials = passed;
    this.passSequence = passed;
    kernel.attach(endpoint, this);
    owner.open.add(this);
  }

  get pendingSends(): number {
    return this.#sends.length;
  }

  send(data: Buffer, { to, fds = [], nonblocking = false }: SendOptions = {}): Promise<void> {
    if (this.closed) return Promise.reject(errorOf('EBADF', 'sendmsg'));
    // It must neither overtake the sends that wait, nor wait itself.
    if (nonblocking && this.blocked) return Promise.reject(errorOf('EAGAIN', 'sendmsg'));
    const { owner } = this;
    const files = fds.map((fd) => owner.descriptors.get(fd));
    const dbus = this.endpoint.bus.protocol === 'dbus' ? parsed(data) : undefined;
    const datagram = { data, length: data.length, files, owner, ...(to && { to: textOf(to) }), dbus };
    return new Promise((resolve, reject) => {
      this.#sends.push({ datagram, nonblocking, resolve, reject });
      if (this.#sends.length === 1) this.room();
    });
  }

  whenBlocked(blocked: boolean, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    if (this.blocked === blocked) return Promise.resolve();
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const waiter = { blocked, settle: resolve };
      this.#blockWaiters.add(waiter);
      signal.addEventListener('abort', () => {
        if (this.#blockWaiters.delete(waiter)) reject(signal.reason);
      });
    });
  }

  receive({ signal, ...options }: ReceiveOptions): Promise<Message[]> {
    if (this.closed) return Promise.reject(errorOf('EBADF', 'recvmsg'));
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#receive)
      throw new Error('a receive of this socket is waiting: an agent reads one after another');
    return new Promise((resolve, reject) => {
      this.#listenTo(signal);
      this.#receive = { ...options, signal, resolve, reject };
      this.readable();
    });
  }

  #listenTo(signal: Interrupt): void {
    if (this.#signal === signal) return;
    this.#signal = signal;
    const abort = () => {
      if (this.#receive?.signal === signal) this.#answer()?.reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
  }

  /** A system call like every other: between two of them other processes may run. */
  async tryReceive(options: ReadOptions): Promise<Message[]> {
    await this.owner.process.turn();
    if (this.closed) throw errorOf('EBADF', 'recvmsg');
    if (this.#receive) throw new Error('a receive of this socket is waiting: its turn comes first');
    return this.#take(options) ?? [];
  }

  get ended(): Promise<End> {
    if (this.#ended) return this.#ended.promise;
    this.#ended = Promise.withResolvers();
    if (this.#end) this.#ended.resolve(this.#end);
    else if (model.hungUp(this.endpoint)) this.hungUp();
    return this.#ended.promise;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.owner.open.delete(this);
    this.kernel.leaveLine(this);
    this.kernel.close(this.endpoint);
    // A process that was killed does not see the results of its calls.
    if (this.owner.process.ended) return;
    this.#finish({ why: 'closed' });
    this.#setBlocked(false);
    for (const { reject } of this.#sends.splice(0)) reject(errorOf('ECANCELED', 'sendmsg'));
    this.#answer()?.resolve([]);
  }

  /** The send at the front may find room, or an error: it is tried in a step of its own. */
  room(): void {
    if (this.#trying || this.#sends.length === 0) return;
    this.#trying = true;
    this.owner.process.post(() => {
      this.#trying = false;
      this.#try();
    });
  }

  /** There is something to read, or the end of the socket. */
  readable(): void {
    if (this.#reading || !this.#receive) return;
    this.#reading = true;
    this.owner.process.post(() => {
      this.#reading = false;
      this.#read();
    });
  }

  /** The connection has ended. This is noticed without reading if somebody asked for it. */
  hungUp(): void {
    if (!this.#ended || this.#end) return;
    this.owner.process.post(() => {
      if (this.#end || this.closed) return;
      this.#error = model.takeError(this.endpoint);
      this.#finish(this.#error === undefined ? { why: 'hangup' } : { why: 'error', code: this.#error });
    });
  }

  #try(): void {
    const [send] = this.#sends;
    if (send === undefined) return;
    // If there is no memory for the message, the process is killed before anybody gets it.
    if (this.#exceedsMemory(send.datagram)) {
      this.owner.kill();
      return;
    }
    const outcome = this.kernel.send(this, send.datagram, send.nonblocking);
    if ('wait' in outcome && !send.nonblocking) {
      this.kernel.queueUp(this, outcome.wait);
      this.#refuseOthers();
      this.#setBlocked(true);
      return;
    }
    this.#sends.shift();
    this.kernel.leaveLine(this);
    this.#setBlocked(false);
    const errno = 'wait' in outcome ? 'EAGAIN' : 'error' in outcome ? outcome.error : undefined;
    const settle = () => (errno ? send.reject(errorOf(errno, 'sendmsg')) : send.resolve());
    // Between the effect of a call and its return, other processes may run.
    if (this.owner.process.coin()) this.owner.process.post(settle);
    else settle();
    this.room();
  }

  #exceedsMemory({ length }: Datagram): boolean {
    const { memory } = this.owner;
    return memory < Number.POSITIVE_INFINITY && this.kernel.unread(this.endpoint) + length > memory;
  }

  /** Refuses nonblocking sends behind a send that waits. */
  #refuseOthers(): void {
    const [first, ...others] = this.#sends;
    const refused = others.filter(({ nonblocking }) => nonblocking);
    if (first === undefined || refused.length === 0) return;
    this.#sends.splice(0, this.#sends.length, first, ...others.filter(({ nonblocking }) => !nonblocking));
    for (const { reject } of refused) reject(errorOf('EAGAIN', 'sendmsg'));
  }

  #read(): void {
    const waiting = this.#receive;
    if (waiting === undefined || this.closed) return;
    try {
      const batch = this.#take(waiting);
      if (batch) this.#answer()?.resolve(batch);
    } catch (error) {
      this.#answer()?.reject(error);
    }
  }

  #answer(): Receive | undefined {
    const answered = this.#receive;
    this.#receive = undefined;
    return answered;
  }

  /**
   * The messages that are queued; [] at the end, undefined if it would have to wait. Throws the socket's error, once.
   */
  #take({ max, maxBytes }: ReadOptions): Message[] | undefined {
    const error = this.#error ?? model.takeError(this.endpoint);
    this.#error = undefined;
    if (error !== undefined) {
      this.#finish({ why: 'error', code: error });
      throw errorOf(error, 'recvmsg');
    }
    for (;;) {
      const copies = this.kernel.receive(this.endpoint, max);
      if (copies.length === 0) break;
      const { read } = this.kernel.hooks;
      const messages = copies.map((copy) => this.#message(copy, maxBytes));
      const batch = read ? messages.flatMap((message) => read(message, this)) : messages;
      if (batch.length > 0) return batch;
    }
    if (!model.atEnd(this.endpoint)) return undefined;
    this.atEnd = true;
    this.#finish({ why: 'eof' });
    return [];
  }

  #message({ sent, length, lost }: model.Copy, maxBytes = length): Message {
    const { data, files, owner } = sent.message as Datagram;
    const fds = this.#adopt(files);
    const read = Math.min(length, maxBytes);
    return {
      data: read < data.length ? data.subarray(0, read) : data,
      from: sent.from,
      truncated: read < length,
      controlTruncated: fds.length < files.length,
      fds,
      ...(this.passCredentials && { credentials: owner.seenFrom(this.owner.pidNamespace) }),
      ...(this.passSequence && { sequence: sent.seq }),
      ...(lost > 0 && { lost }),
    };
  }

  /** Opens as many descriptors as the process may have; closes the others. */
  #adopt(files: readonly WriteEnd[]): Message['fds'] {
    if (files.length === 0) return NO_FDS;
    const { descriptors } = this.owner;
    const { free } = descriptors;
    for (const file of files.slice(free)) file.letGo();
    return files.slice(0, free).map((file) => {
      const fd = descriptors.adopt(file);
      return { fd, close: () => descriptors.close(fd) };
    });
  }

  #setBlocked(blocked: boolean): void {
    this.blocked = blocked;
    for (const waiter of this.#blockWaiters) {
      if (waiter.blocked !== blocked) continue;
      this.#blockWaiters.delete(waiter);
      waiter.settle();
    }
  }

  #finish(end: End): void {
    this.#end ??= end;
    this.#ended?.resolve(this.#end);
  }
}

export class SimClient extends SimSocket implements ClientSocket {
  get address(): Address {
    return this.endpoint.address;
  }
}

export class SimAccepted extends SimSocket implements AcceptedSocket {
  readonly #client: Owner;

  constructor(kernel: Kernel, owner: Owner, endpoint: model.Endpoint, client: Owner) {
    super(kernel, owner, endpoint, false);
    this.#client = client;
  }

  get peer(): Address {
    return this.endpoint.address;
  }

  get credentials(): Credentials {
    const seen = this.#client.seenFrom(this.owner.pidNamespace);
    return this.kernel.hooks.peer?.(seen, this.endpoint) ?? seen;
  }

  join(): void {
    this.#policy('setsockopt BUS_JOIN_BUS', () => model.join(this.endpoint));
  }

  addAddress(address: Address): void {
    this.#policy('setsockopt BUS_ADD_ADDR', () => model.addAddress(this.endpoint, address));
  }

  deleteAddress(address: Address): void {
    this.#policy('setsockopt BUS_DEL_ADDR', () => model.delAddress(this.endpoint, address));
  }

  setEavesdrop(on: boolean): void {
    this.#policy('setsockopt BUS_SET_EAVESDROP', () => model.setEavesdrop(this.endpoint, on));
  }

  addMatch(rule: string): void {
    this.#policy('nfdbus', () => model.addMatch(this.endpoint, rule));
  }

  removeMatch(rule: string): void {
    this.#policy('nfdbus', () => model.removeMatch(this.endpoint, rule));
  }

  setName(name: string): void {
    this.#policy('nfdbus', () => model.setName(this.endpoint, name));
  }

  expel(): void {
    if (this.closed) throw errorOf('EBADF', 'shutdown');
    this.kernel.expel(this.endpoint);
  }

  #policy(call: string, act: () => model.Errno | undefined): void {
    if (this.closed) throw errorOf('EBADF', call);
    this.kernel.policy(this.endpoint.bus, call, act);
  }
}

const textOf = ({ prefix, client }: NonNullable<SendOptions['to']>): Address =>
  `${prefix.toString(16).padStart(4, '0')}/${client.toString(16).padStart(12, '0')}`;
