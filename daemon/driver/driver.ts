// SPDX-License-Identifier: MIT
/**
 * The bus as a state machine: clients, names, rules, and what may be sent. It does nothing by itself: it takes a
 * message and returns effects, which its caller carries out in order.
 */
import {
  type Arg,
  argsOf,
  DRIVER,
  type Header,
  isUnique,
  NO_AUTO_START,
  NO_REPLY_EXPECTED,
  type Rule,
} from '../../runner/dbus/index.ts';
import { Activation } from './activation.ts';
import { Call, LATER } from './call.ts';
import { discarded, type Effect, type Incoming } from './effect.ts';
import { DriverError } from './error.ts';
import { INTERFACES, type Method } from './interfaces.ts';
import { introspection } from './introspect.ts';
import type { Limits } from './limits.ts';
import { DRIVER_PATH, errorTo, replyTo, signal, string } from './message.ts';
import { type Change, Names } from './names.ts';
import type { Credentials, Peer } from './peer.ts';
import type { Policy, Recipient } from './policy.ts';
import { Replies } from './replies.ts';
import { Peaks } from './stats.ts';

/** Starts a timer; returns a function that stops it. */
type Later = (what: () => readonly Effect[], delay: number) => () => void;

export interface DriverOptions {
  readonly limits: Limits;
  readonly policy: Policy;
  /** GetId: 32 hex digits. */
  readonly id: string;
  readonly machineId: string;
  /** The process of the bus. */
  readonly self: Credentials;
  /** Numbers of messages sent and received, for GetConnectionStats. */
  readonly traffic?: (peer: Peer) => Readonly<Record<string, number>>;
  /** After that many milliseconds, calls the function and carries out its effects, unless the timer is stopped. */
  readonly later?: Later;
}

const PEER_INTERFACE = 'org.freedesktop.DBus.Peer';

export class Driver {
  readonly names = new Names();
  readonly activation = new Activation(this);
  readonly replies = new Replies();
  readonly peaks = new Peaks();
  readonly id: string;
  readonly machineId: string;
  readonly self: Credentials;
  readonly traffic: (peer: Peer) => Readonly<Record<string, number>>;
  readonly #later: Later;
  limits: Limits;
  policy: Policy;
  readonly #peers = new Map<string, Peer>();

  constructor(options: DriverOptions) {
    const { limits, policy, id, machineId, self, traffic = () => ({}), later = () => () => {} } = options;
    this.limits = limits;
    this.policy = policy;
    this.id = id;
    this.machineId = machineId;
    this.self = self;
    this.traffic = traffic;
    this.#later = later;
  }

  /** A client has authenticated. */
  connect(peer: Peer): void {
    this.#peers.set(peer.name, peer);
  }

  /** Clients that have said Hello, except for monitors. */
  active(): readonly Peer[] {
    return [...this.#peers.values()].filter(({ state }) => state === 'active');
  }

  get incomplete(): number {
    return [...this.#peers.values()].filter(({ state }) => state === 'new').length;
  }

  /** The client with this name, unique or well-known. */
  ownerOf(name: string): Peer | undefined {
    if (!isUnique(name)) return this.names.ownerOf(name);
    const peer = this.#peers.get(name);
    return peer?.state === 'active' ? peer : undefined;
  }

  hasOwner(name: string): boolean {
    return name === DRIVER || this.ownerOf(name) !== undefined;
  }

  /**
   * The destination of a client's message that needs no help: a client, or everyone. `bus`: `handle` must decide what
   * it is for, or what is wrong with it.
   */
  route(peer: Peer, header: Header): Recipient {
    const { type, destination } = header;
    if (peer.state !== 'active' || type === 'unknown' || destination === DRIVER) return 'bus';
    try {
      if (destination === undefined) return this.#isPeerCall(header) ? 'bus' : this.#broadcast(peer, header);
      const owner = this.ownerOf(destination);
      if (owner !== undefined) this.#allow(peer, header, owner);
      return owner ?? 'bus';
    } catch (error) {
      if (error instanceof DriverError) return 'bus';
      throw error;
    }
  }

  /** Handles a message that a client has sent to the bus, or that could not be delivered without the bus. */
  handle(peer: Peer, message: Incoming): readonly Effect[] {
    const { header } = message;
    if (peer.state === 'monitor')
      return [{ do: 'disconnect', peer, reason: 'a monitor must not send' }, ...discarded(message)];
    try {
      if (peer.state === 'new') return this.#first(peer, message);
      return this.#dispatch(peer, message);
    } catch (error) {
      if (!(error instanceof DriverError)) throw error;
      return [...this.refuse(peer, header, error), ...discarded(message)];
    }
  }

  /** Tells a client why its message is not delivered, unless it wants no reply. */
  refuse(peer: Peer, header: Header, error: DriverError): readonly Effect[] {
    return wantsReply(header) ? [{ do: 'send', to: peer, message: errorTo(peer, header.serial, error) }] : [];
  }

  /** Answers a call, unless it wants no reply. */
  reply(peer: Peer, header: Header, args: readonly Arg[]): readonly Effect[] {
    return wantsReply(header) ? [{ do: 'send', to: peer, message: replyTo(peer, header, args) }] : [];
  }

  /** Handles the end of a client: the next in each queue owns its names, and nobody waits for its replies any more. */
  leave(peer: Peer): readonly Effect[] {
    const { state } = peer;
    peer.state = 'gone';
    this.#peers.delete(peer.name);
    const effects = [...this.activation.left(peer)];
    if (state === 'active') {
      effects.push(...this.#releaseAll(peer, [...peer.claims].reverse()));
      effects.push(...this.changed({ name: peer.name, from: peer, to: undefined }));
    }
    for (const { caller, serial } of this.replies.left(peer))
      effects.push(...this.noReply(caller, serial, LEFT));
    return effects;
  }

  /**
   * Tells a caller that its call was not answered. What the callee has sent before comes first, so an answer may still
   * come.
   */
  noReply(caller: Peer, serial: number, why: string): readonly Effect[] {
    const error = new DriverError('NoReply', why);
    return [{ do: 'send', to: caller, message: errorTo(caller, serial, error) }];
  }

  /** Hello: makes the client one of the bus. */
  admit(peer: Peer): void {
    const { max_completed_connections: most, max_connections_per_user: mostOfUser } = this.limits;
    const { uid } = peer.credentials;
    const active = this.active();
    if (active.length >= most)
      throw new DriverError('LimitsExceeded', 'The maximum number of active connections has been reached');
    if (active.filter(({ credentials }) => credentials.uid === uid).length >= mostOfUser)
      throw new DriverError(
        'LimitsExceeded',
        `The maximum number of active connections for UID ${uid} has been reached`,
      );
    peer.state = 'active';
  }

  /** A name has a new owner: the old owner is told, then all clients with a matching rule, then the new owner. */
  changed({ name, from, to }: Change): readonly Effect[] {
    const effects: Effect[] = [];
    if (!isUnique(name)) effects.push({ do: 'own', name, ...(from && { from }), ...(to && { to }) });
    if (from && from.state !== 'gone')
      effects.push({ do: 'send', to: from, message: signal('NameLost', [string(name)], from) });
    const args = [name, from?.name ?? '', to?.name ?? ''].map(string);
    effects.push({ do: 'broadcast', message: signal('NameOwnerChanged', args) });
    if (to) effects.push({ do: 'send', to, message: signal('NameAcquired', [string(name)], to) });
    this.peaks.note(this);
    if (to) this.peaks.noteOf(to);
    return effects;
  }

  /** Makes a client a monitor. It loses its unique name first, then the others in the order in which it got them. */
  watch(peer: Peer, rules: readonly Rule[], serial: number): readonly Effect[] {
    const effects = [...this.changed({ name: peer.name, from: peer, to: undefined })];
    effects.push(...this.#releaseAll(peer, [...peer.claims]));
    peer.removeRules();
    peer.monitors = rules;
    peer.state = 'monitor';
    return [...effects, { do: 'monitor', peer, serial }];
  }

  readonly introspection = introspection;

  /** Throws unless the client is root or the user of the bus. */
  checkPrivilege(peer: Peer): void {
    if (!this.#isPrivileged(peer))
      throw new DriverError('AccessDenied', `${peer.name} is neither root nor the user that runs the bus`);
  }

  /** Throws unless the client may send this to the name that it names: the bus, or a service that is not there yet. */
  checkNamed(peer: Peer, header: Header): void {
    if (!this.policy.maySend(peer, header, 'bus', false)) throw this.#rejected(peer, header, DRIVER);
  }

  /**
   * Whether the policy restricts messages of this client. The kernel delivers between native clients without asking the
   * policy, so a restricted client cannot be a native one, unless it could do anything to the bus anyhow.
   */
  restricts(peer: Peer): boolean {
    return !this.#isPrivileged(peer) && !this.policy.isOpenFor(peer);
  }

  /** Delivers a message to a client. */
  deliver(peer: Peer, message: Incoming, to: Peer): readonly Effect[] {
    this.#allow(peer, message.header, to);
    return [{ do: 'forward', from: peer, to, message }];
  }

  /** Before Hello, only calls to the bus are allowed. */
  #first(peer: Peer, message: Incoming): readonly Effect[] {
    const { type, destination, member } = message.header;
    if (type !== 'method_call' || destination !== DRIVER)
      return [{ do: 'disconnect', peer, reason: 'it must say Hello first' }, ...discarded(message)];
    if (member === 'Hello') return this.#answer(peer, message);
    throw new DriverError(
      'AccessDenied',
      'Client tried to send a message other than Hello without being registered',
    );
  }

  #dispatch(peer: Peer, message: Incoming): readonly Effect[] {
    const { header } = message;
    const { type, destination } = header;
    // The message was on its way to a client that has left.
    this.replies.giveUp(peer, header.serial);
    if (type === 'unknown')
      throw new DriverError('AccessDenied', 'Message bus will not accept messages of unknown type');
    if (destination === DRIVER || this.#isPeerCall(header))
      return type === 'method_call' ? this.#answer(peer, message) : discarded(message);
    if (destination === undefined) {
      this.#broadcast(peer, header);
      return [{ do: 'multicast', from: peer, message }];
    }
    const owner = this.ownerOf(destination);
    if (owner !== undefined) return this.deliver(peer, message, owner);
    if ((header.flags & NO_AUTO_START) !== 0)
      throw new DriverError('NameHasNoOwner', `Name "${destination}" does not exist`);
    return this.activation.deliver(destination, peer, message);
  }

  #isPrivileged({ credentials: { uid } }: Peer): boolean {
    return uid === 0 || uid === this.self.uid;
  }

  #isPeerCall({ type, destination, interface: name }: Header): boolean {
    return type === 'method_call' && destination === undefined && name === PEER_INTERFACE;
  }

  #broadcast(peer: Peer, header: Header): 'everyone' {
    if (this.policy.maySend(peer, header, 'everyone', false)) return 'everyone';
    throw this.#rejected(peer, header, 'all clients');
  }

  /** Throws unless a client may send a message to another one; notes that it waits for the reply. */
  #allow(peer: Peer, header: Header, to: Peer): void {
    if ((header.unixFds ?? 0) > 0 && !to.fds)
      throw new DriverError(
        'NotSupported',
        "Tried to send message with Unix file descriptors to a client that doesn't support that.",
      );
    const { type, serial, replySerial } = header;
    const reply = replySerial !== undefined && this.replies.settle(to, replySerial, peer);
    if (!this.policy.maySend(peer, header, to, reply) || !this.policy.mayReceive(peer, header, to, reply))
      throw this.#rejected(peer, header, to.name);
    if (!peer.tracked || type !== 'method_call' || (header.flags & NO_REPLY_EXPECTED) !== 0) return;
    if (this.replies.waiting(peer) >= this.limits.max_replies_per_connection)
      throw new DriverError(
        'LimitsExceeded',
        'The maximum number of pending replies per connection has been reached',
      );
    const { reply_timeout: timeout } = this.limits;
    const stopTimer =
      timeout < 0 ? undefined : this.#later(() => this.noReply(peer, serial, TIMED_OUT), timeout);
    this.replies.expect({ caller: peer, serial, callee: to, ...(stopTimer && { stopTimer }) });
  }

  #rejected(peer: Peer, header: Header, to: string): DriverError {
    const { type, interface: name = '(unset)', member = '(unset)', errorName = '(unset)' } = header;
    const { pid, uid } = peer.credentials;
    return new DriverError(
      'AccessDenied',
      `Rejected send message, the policy of the bus has no rule that allows it; type="${type}", sender="${peer.name}" (uid=${uid} pid=${pid}) interface="${name}" member="${member}" error name="${errorName}" destination="${header.destination ?? to}"`,
    );
  }

  /** Handles a call to the bus itself. */
  #answer(peer: Peer, message: Incoming): readonly Effect[] {
    const { header, bytes } = message;
    const method = methodOf(header);
    const { signature = '' } = header;
    if (method.in !== signature)
      throw new DriverError(
        'InvalidArgs',
        `Call to ${method.name} has wrong args (${signature}, expected ${method.in})\n`,
      );
    if (method.canonical && header.path !== DRIVER_PATH)
      throw new DriverError(
        'AccessDenied',
        `Method '${method.name}' is only available at the canonical object path '${DRIVER_PATH}'`,
      );
    this.checkNamed(peer, header);
    if (method.privileged) this.checkPrivilege(peer);
    const call = new Call(this, peer, header, argsOf(bytes, header));
    const args = method.handler(call);
    this.peaks.noteOf(peer);
    const ends = [...call.after, ...discarded(message)];
    return [...call.before, ...(args === LATER ? [] : this.reply(peer, header, args)), ...ends];
  }

  #releaseAll(peer: Peer, names: readonly string[]): Effect[] {
    return names.flatMap((name) => {
      const { change } = this.names.release(name, peer);
      return change ? this.changed(change) : [];
    });
  }
}

/** The specification wants no reply, not even an error, if a call says so; dbus-daemon sends errors all the same. */
const wantsReply = ({ type, flags }: Header): boolean =>
  type !== 'method_call' || (flags & NO_REPLY_EXPECTED) === 0;

const TIMED_OUT = 'Message did not receive a reply (timeout by message bus)';
const LEFT = 'Message recipient disconnected from message bus without replying';

/** Throws if there is none of that name, interface and path. */
function methodOf({ path, interface: name, member = '' }: Header): Method {
  const at = INTERFACES.filter(({ anyPath }) => anyPath || path === DRIVER_PATH);
  const those = at.filter((each) => name === undefined || each.name === name);
  const method = those.flatMap(({ methods }) => methods).find((each) => each.name === member);
  if (method !== undefined) return method;
  throw new DriverError(
    those.length === 0 ? 'UnknownInterface' : 'UnknownMethod',
    `${DRIVER} does not understand message ${member}`,
  );
}
