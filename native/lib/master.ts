// SPDX-License-Identifier: MIT
/** The bus master's listening socket. */
import { AcceptedClient } from './accepted.ts';
import type { RawSocket } from './addon.ts';
import type { AddressLike } from './address.ts';
import { check, closedError } from './errors.ts';
import { loadedAddon } from './load.ts';
import {
  addMatch,
  type Match,
  matches,
  type Name,
  names,
  removeAllMatches,
  removeMatch,
  setName,
  unsetName,
} from './nfdbus.ts';
import { okSocket, openSocket, type Protocol } from './open.ts';
import { BusOptions } from './options.ts';
import { encodePath } from './path.ts';
import { BLOCKED, Readiness } from './readiness.ts';
import type { WaitOptions } from './types.ts';

/**
 * What a send does at a full recipient: it waits, fails with ENOBUFS for all, or is delivered to the others and evicts
 * the full one.
 */
export type Overflow = 'block' | 'fail' | 'evict';

const OVERFLOW_OPTION = {
  block: 'BUS_OVERFLOW_BLOCK',
  fail: 'BUS_OVERFLOW_FAIL',
  evict: 'BUS_OVERFLOW_EVICT',
} as const;

export interface ListenOptions {
  /** Pathname, or `@name` for an abstract name. */
  readonly path: string;
  /** Default 'none'. */
  readonly protocol?: Protocol;
  /** Connections that may wait for accept; default 10. */
  readonly backlog?: number;
  /** Maximum number of messages in a receive queue before it is full; default: the backlog, as set by listen(2). */
  readonly queueLength?: number;
  /**
   * Send buffer of clients and accepted sockets, in bytes; messages are at least 32 bytes shorter. Default: the
   * system's.
   */
  readonly sendBuffer?: number;
  /** Default 'block'. */
  readonly overflow?: Overflow;
}

export class BusMaster extends BusOptions implements AsyncDisposable, Disposable {
  readonly #readiness: Readiness;
  readonly path: string;

  /** Use listen. */
  protected constructor(raw: RawSocket, path: string) {
    super(raw);
    this.#readiness = new Readiness(loadedAddon(), raw);
    this.path = path;
  }

  /**
   * Binds a path, which makes the bus, and listens. The inode of a pathname stays when the socket is closed: unlink it.
   *
   * Rejects with BusError: EADDRINUSE, EACCES, ENOENT (no folder), EINVAL (a value ≤ 0), EAFNOSUPPORT, …
   */
  static async listen(where: string | ListenOptions, wait: WaitOptions = {}): Promise<BusMaster> {
    wait.signal?.throwIfAborted();
    const options = typeof where === 'string' ? { path: where } : where;
    const raw = openSocket(options.protocol);
    try {
      check(raw.bind(encodePath(options.path)), 'bind', { path: options.path });
      const master = new BusMaster(raw, options.path);
      check(raw.listen(options.backlog ?? loadedAddon().constants.BUS_MAX_QLEN), 'listen', {
        path: options.path,
      });
      // In the same turn as listen(2), as that would overwrite the queue length later.
      if (options.queueLength !== undefined) master.queueLength = options.queueLength;
      if (options.sendBuffer !== undefined) master.sendBuffer = options.sendBuffer;
      if (options.overflow !== undefined) master.overflow = options.overflow;
      return master;
    } catch (error) {
      raw.close();
      throw error;
    }
  }

  /** BUS_SET_MAXQLEN, for clients that connect afterwards. */
  get queueLength(): number {
    return this.busInt('BUS_SET_MAXQLEN');
  }
  set queueLength(messages: number) {
    this.setBusInt('BUS_SET_MAXQLEN', messages);
  }

  /** BUS_SET_SENDBUF in bytes, for clients that connect afterwards. */
  get sendBuffer(): number {
    return this.busInt('BUS_SET_SENDBUF');
  }
  set sendBuffer(bytes: number) {
    this.setBusInt('BUS_SET_SENDBUF', bytes);
  }

  /** BUS_SET_OVERFLOW. */
  get overflow(): Overflow {
    const { constants } = loadedAddon();
    const value = this.busInt('BUS_SET_OVERFLOW');
    const names = Object.keys(OVERFLOW_OPTION) as Overflow[];
    return names.find((name) => constants[OVERFLOW_OPTION[name]] === value) as Overflow;
  }
  set overflow(policy: Overflow) {
    if (!Object.hasOwn(OVERFLOW_OPTION, policy))
      throw new TypeError(`overflow '${policy}' is none of block, fail, evict`);
    this.setBusInt('BUS_SET_OVERFLOW', loadedAddon().constants[OVERFLOW_OPTION[policy]]);
  }

  /**
   * Gives the client that holds this address a D-Bus match rule; see AcceptedClient.addMatch. Needs the user that owns
   * this socket, or CAP_NET_ADMIN over its network namespace.
   *
   * Throws BusError: EINVAL (no rule), EADDRNOTAVAIL (nobody holds the address), EPERM, EPROTONOSUPPORT (the kernel has
   * no nfdbus, or the bus another protocol), …
   */
  addMatch(client: AddressLike, rule: string): void {
    addMatch(this.path, client, rule);
  }

  /** Removes one rule that says the same. Throws ENOENT if there is none, else like addMatch. */
  removeMatch(client: AddressLike, rule: string): void {
    removeMatch(this.path, client, rule);
  }

  /** Removes all rules from a client. Throws like addMatch. */
  removeAllMatches(client: AddressLike): void {
    removeAllMatches(this.path, client);
  }

  /** The rules of all clients, or of the one that holds this address. */
  matches(client?: AddressLike): Match[] {
    return matches(this.path, client);
  }

  /** Makes the client at this address the owner of a well-known name; a former owner loses it. */
  setName(client: AddressLike, name: string): void {
    setName(this.path, client, name);
  }

  /** Takes the name from its owner. Throws ENOENT if it has none. */
  unsetName(name: string): void {
    unsetName(this.path, name);
  }

  /** Well-known names and their owners. */
  names(): Name[] {
    return names(this.path);
  }

  /** Waits for a client. Rejects with the signal's reason, or with ECANCELED when the listening socket is closed. */
  accept(options: WaitOptions = {}): Promise<AcceptedClient> {
    if (this.closed) return Promise.reject(closedError('accept', false));
    return this.#readiness.run('in', () => this.#tryAccept(), options.signal);
  }

  /** A client that waits to be accepted, or undefined. */
  tryAccept(): AcceptedClient | undefined {
    if (this.closed) throw closedError('accept', false);
    const accepted = this.#tryAccept();
    return accepted === BLOCKED ? undefined : accepted;
  }

  /** Clients as they connect, until the listening socket is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<AcceptedClient, void, undefined> {
    yield* this.clients();
  }

  /** Like iterating over the master itself, with a signal (which makes it throw). */
  async *clients(options: WaitOptions = {}): AsyncGenerator<AcceptedClient, void, undefined> {
    while (!this.closed) {
      const client = await this.#readiness.run(
        'in',
        () => (this.closed ? undefined : this.#tryAccept()),
        options.signal,
      );
      if (client) yield client;
    }
  }

  /** Closes the listening socket: no new client can connect; the others stay on the bus. */
  close(): void {
    if (this.closed) return;
    this.raw.close();
    this.#readiness.flush();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #tryAccept(): AcceptedClient | typeof BLOCKED {
    if (this.closed) throw closedError('accept', true);
    const accepted = this.raw.accept();
    if (accepted === -loadedAddon().constants.EAGAIN) return BLOCKED;
    return new AcceptedClient(okSocket(accepted, 'accept', this.path));
  }
}
