// SPDX-License-Identifier: MIT
/** A D-Bus client on AF_BUS (docs/dbus.md sections 1, 2 and 4). */
import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import type { OwnedFd } from '../native/lib/index.ts';
import { InvalidInput } from '../runner/common/errors.ts';
import {
  type Arg,
  DRIVER,
  isUnique,
  NO_AUTO_START,
  NO_REPLY_EXPECTED,
  parseAddresses,
  socketPath,
  type Value,
} from '../runner/dbus/index.ts';
import { argsOf, signatureOf, valuesOf } from './body.ts';
import { Calls, type Waiting } from './calls.ts';
import { Connection, type Draft, discard, type Received } from './connection.ts';
import { DbusError, ERROR } from './error.ts';
import type { Interfaces } from './interface.ts';
import { callListener } from './listener.ts';
import { type ExportedObject, Objects } from './objects.ts';
import { type Handler, type Subscription, Subscriptions } from './subscriptions.ts';

export interface ConnectOptions {
  readonly signal?: AbortSignal;
}

export interface Body {
  /** The types of `args`; default none. */
  readonly signature?: string;
  readonly args?: readonly Value[];
  /**
   * Descriptors; values of the type `h` are indexes into them. The caller keeps them, and keeps them open until the
   * promise settles.
   */
  readonly fds?: readonly { readonly fd: number }[];
}

export interface MethodCall extends Body {
  readonly destination: string;
  readonly path: string;
  readonly interface?: string;
  readonly member: string;
  /** Milliseconds until NoReply; default 25,000. With Infinity, or more than 24 days, the call never times out. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Do not start a service for this call (NO_AUTO_START). */
  readonly noAutoStart?: boolean;
}

export interface Signal extends Body {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** Send to this client only; its match rules decide which of its handlers are called. */
  readonly destination?: string;
}

export interface Reply {
  readonly signature: string;
  readonly args: readonly Value[];
  /** The unique name of the client that has answered; `org.freedesktop.DBus` if the bus has. */
  readonly sender: string;
  /** Descriptors that came with the reply; the caller must close them. */
  readonly fds: readonly OwnedFd[];
}

export interface NameOptions {
  readonly allowReplacement?: boolean;
  readonly replace?: boolean;
  /** Do not wait for the name if another client has it. */
  readonly doNotQueue?: boolean;
}

const REQUESTED = { 1: 'owner', 2: 'queued', 3: 'exists', 4: 'already-owner' } as const;
const RELEASED = { 1: 'released', 2: 'non-existent', 3: 'not-owner' } as const;
export type Requested = (typeof REQUESTED)[keyof typeof REQUESTED];
export type Released = (typeof RELEASED)[keyof typeof RELEASED];

interface Events {
  /** A well-known name. */
  nameAcquired: [name: string];
  nameLost: [name: string];
  /** Called with the error that ended the connection, or without one after `close`. */
  close: [error?: Error];
}

const TIMEOUT = 25_000;
const DISCONNECTED = `${ERROR}Disconnected`;

export class Bus extends EventEmitter<Events> implements Disposable {
  readonly #connection: Connection;
  readonly #calls = new Calls();
  readonly #objects = new Objects((path, iface, member, args) =>
    this.#send({ type: 'signal', path, interface: iface, member, args }),
  );
  readonly #subscriptions = new Subscriptions({
    addMatch: async (rule) => void (await this.#ask('AddMatch', 's', [rule])),
    removeMatch: (rule) => this.#removeMatch(rule),
    ownerOf: async (name) => (await this.owner(name)) ?? '',
  });
  #name = '';
  /** The well-known names that it owns. */
  readonly #owned = new Set<string>();
  #closed = false;

  private constructor(connection: Connection) {
    super();
    this.#connection = connection;
  }

  /**
   * Joins a bus: `afbus:path=/run/my-bus`, `afbus:abstract=my-bus`.
   *
   * Rejects with InvalidInput for an address of no AF_BUS, BusError (ENOENT, ECONNREFUSED, …), DbusError (AuthFailed,
   * LimitsExceeded, AccessDenied), or the signal's reason.
   */
  static async connect(address: string, { signal }: ConnectOptions = {}): Promise<Bus> {
    const bus = new Bus(await Connection.open(pathOf(address), signal));
    bus.#run();
    try {
      const { args } = await bus.#ask('Hello', '', [], signal);
      bus.#name = args[0] as string;
      return bus;
    } catch (error) {
      bus.close();
      throw error;
    }
  }

  /** The unique name: `:0.1f`. */
  get name(): string {
    return this.#name;
  }

  /**
   * Calls a method. A message to a client, or to a name whose address the master has told, is sent there directly.
   *
   * Rejects with DbusError: the callee's, or NoReply, ServiceUnknown, Disconnected, …; TypeError or BadValue for an
   * invalid name or path and for values that do not fit the signature; BusError (EMSGSIZE); or the signal's reason.
   */
  async call(call: MethodCall): Promise<Reply> {
    const { destination, timeout = TIMEOUT, signal } = call;
    const {
      sender = '',
      args,
      fds,
    } = await this.#exchange(
      { type: 'method_call', ...callFields(call), destination },
      { timeout, ...(signal && { signal }) },
      call.fds,
    );
    return { sender, args: valuesOf(args), signature: signatureOf(args), fds };
  }

  /** Calls a method and wants no reply; resolves when the message is in the callee's queue, or in the master's. */
  async notify(call: Omit<MethodCall, 'timeout' | 'signal'>): Promise<void> {
    const fields = callFields(call);
    await this.#send({ type: 'method_call', ...fields, flags: fields.flags | NO_REPLY_EXPECTED }, call.fds);
  }

  /** Sends a signal; resolves when it is in the queue of each client that has a rule for it. */
  async signal({ path, interface: iface, member, destination, fds, ...body }: Signal): Promise<void> {
    const to = destination !== undefined && { destination };
    await this.#send({ type: 'signal', path, interface: iface, member, ...to, args: bodyOf(body) }, fds);
  }

  /**
   * Adds a match rule. The rule has a place in the order of the bus: the handler is called for every matching message
   * after it, and for earlier ones only if another rule of this client has let them in. Rejects with DbusError:
   * MatchRuleInvalid, LimitsExceeded.
   */
  match(rule: string, handler: Handler): Promise<Subscription> {
    return this.#subscriptions.add(rule, handler);
  }

  /** Asks for a well-known name. Rejects with DbusError: InvalidArgs, AccessDenied, LimitsExceeded. */
  async requestName(name: string, options: NameOptions = {}): Promise<Requested> {
    const { allowReplacement = false, replace = false, doNotQueue = false } = options;
    const flags = Number(allowReplacement) | (Number(replace) << 1) | (Number(doNotQueue) << 2);
    const { args } = await this.#ask('RequestName', 'su', [name, flags]);
    return REQUESTED[args[0] as keyof typeof REQUESTED];
  }

  async releaseName(name: string): Promise<Released> {
    const { args } = await this.#ask('ReleaseName', 's', [name]);
    return RELEASED[args[0] as keyof typeof RELEASED];
  }

  /** The unique name of the client that owns this name; undefined if the name has no owner. */
  async owner(name: string): Promise<string | undefined> {
    try {
      const { args } = await this.#ask('GetNameOwner', 's', [name]);
      return args[0] as string;
    } catch (error) {
      if (error instanceof DbusError && error.errorName === `${ERROR}NameHasNoOwner`) return undefined;
      throw error;
    }
  }

  /**
   * Exports an object, so that others can call its methods. It can be introspected, and has Peer, and Properties if
   * there are any.
   */
  export(path: string, interfaces: Interfaces): ExportedObject {
    return this.#objects.add(path, interfaces);
  }

  /** Leaves the bus. Calls that wait reject with Disconnected, and no handler is called any more. */
  close(): void {
    this.#end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #ask(
    member: string,
    signature: string,
    args: readonly Value[],
    signal?: AbortSignal,
  ): Promise<Reply> {
    const call = { destination: DRIVER, path: '/org/freedesktop/DBus', interface: DRIVER, member };
    return this.call({
      ...call,
      signature,
      args,
      timeout: Number.POSITIVE_INFINITY,
      ...(signal && { signal }),
    });
  }

  /** Clears the subscriptions: the bus keeps no rules of a client that has left it. */
  async #removeMatch(rule: string): Promise<void> {
    try {
      await this.#ask('RemoveMatch', 's', [rule]);
    } catch (error) {
      if (!this.#closed) throw error;
    }
  }

  async #exchange(
    message: Draft & { readonly destination: string },
    waiting: Waiting,
    fds: Body['fds'],
  ): Promise<Received> {
    const serial = this.#newSerial();
    return this.#calls.run(serial, message.destination, waiting, (signal) =>
      this.#connection.send(message, serial, { fds, signal }),
    );
  }

  async #send(message: Draft, fds?: Body['fds']): Promise<void> {
    await this.#connection.send(message, this.#newSerial(), { fds });
  }

  /** Throws DbusError: Disconnected. */
  #newSerial(): number {
    if (this.#closed) throw new DbusError(DISCONNECTED, 'the connection is closed');
    let serial: number;
    do serial = this.#connection.newSerial();
    while (this.#calls.has(serial));
    return serial;
  }

  async #run(): Promise<void> {
    try {
      for await (const message of this.#connection.messages()) this.#dispatch(message);
      this.#end(new DbusError(DISCONNECTED, 'the bus has ended the connection'));
    } catch (error) {
      this.#end(error as Error);
    }
  }

  #dispatch(message: Received): void {
    // A handler has closed the bus: the rest of the batch is not handled.
    if (this.#closed) discard(message);
    else if (!this.#isMine(message)) this.#subscriptions.dispatch(message, true);
    else if (message.type === 'method_call') void this.#answer(message);
    else if (message.type === 'signal') {
      this.#names(message);
      this.#subscriptions.dispatch(message);
    } else if (!this.#calls.answer(message)) discard(message);
  }

  /**
   * Whether it is not a message for another client, of which the master gives copies to those that eavesdrop. What is
   * sent to a well-known name itself may come before the master says who owns it; nobody eavesdrops before Hello.
   */
  #isMine({ destination, direct }: Received): boolean {
    if (destination === undefined || this.#name === '') return true;
    if (isUnique(destination)) return destination === this.#name;
    return direct === true || this.#owned.has(destination);
  }

  #names({ sender, member, args: [arg] }: Received): void {
    if (sender !== DRIVER || arg?.type !== 's') return;
    const name = arg.value as string;
    if (isUnique(name)) return;
    if (member === 'NameAcquired') {
      this.#owned.add(name);
      callListener(() => this.emit('nameAcquired', name));
    }
    if (member === 'NameLost') {
      this.#owned.delete(name);
      callListener(() => this.emit('nameLost', name));
    }
  }

  /** Calls are started one after another, and each is answered when it is done. */
  async #answer(message: Received): Promise<void> {
    const { flags, serial: replySerial, sender: destination = '' } = message;
    const reply = (answer: Answer) =>
      this.#send({ ...answer, flags: NO_REPLY_EXPECTED, destination, replySerial });
    const answer = await this.#objects.call(message).then(returned, failed);
    discard(message);
    if (flags & NO_REPLY_EXPECTED) return;
    // The caller is told why the reply cannot be sent (its values, its size). If that fails as well, the caller is
    // gone.
    await reply(answer)
      .catch((error) => reply(failed(error)))
      .catch(() => {});
  }

  #end(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
    this.#calls.failAll(new DbusError(DISCONNECTED, error?.message ?? 'the connection was closed'));
    callListener(() => (error === undefined ? this.emit('close') : this.emit('close', error)));
  }
}

type Answer = Pick<Draft, 'type' | 'errorName' | 'args'>;

const returned = (args: readonly Arg[]): Answer => ({ type: 'method_return', args });

const failed = (error: unknown): Answer => ({
  type: 'error',
  errorName: error instanceof DbusError ? error.errorName : `${ERROR}Failed`,
  args: argsOf('s', [error instanceof Error ? error.message : inspect(error)]),
});

function pathOf(address: string): string {
  const [first] = parseAddresses(address).filter(({ transport }) => transport === 'afbus');
  if (first === undefined)
    throw new InvalidInput(
      `${JSON.stringify(address)} has no address of an AF_BUS`,
      'Write afbus:path=/run/my-bus.',
    );
  return socketPath(first);
}

function callFields(call: Omit<MethodCall, 'timeout' | 'signal'>) {
  const { destination, path, interface: iface, member, noAutoStart, signature, args } = call;
  const body = { ...(signature !== undefined && { signature }), ...(args && { args }) };
  return {
    ...{ destination, path, member, args: bodyOf(body) },
    ...(iface !== undefined && { interface: iface }),
    flags: noAutoStart ? NO_AUTO_START : 0,
  };
}

const bodyOf = ({ signature = '', args = [] }: Pick<Body, 'signature' | 'args'>): Arg[] =>
  argsOf(signature, args);
