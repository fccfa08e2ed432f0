// SPDX-License-Identifier: MIT
/** The AF_BUS bus, with this process as its master: carries out the driver's effects. */
import { setImmediate as immediate } from 'node:timers/promises';
import {
  type AcceptedClient,
  addressToBigInt,
  type BusAddress,
  BusClient,
  BusError,
  BusMaster,
  formatAddress,
  type Message,
  multicastAddress,
  type OwnedFd,
} from '../../native/lib/index.ts';
import { forwarded, type Header, type Mechanism, NotDbus, readHeader } from '../../runner/dbus/index.ts';
import type { Driver } from '../driver/driver.ts';
import type { Effect, Incoming, Outgoing } from '../driver/effect.ts';
import { DriverError } from '../driver/error.ts';
import { NATIVE_QUEUE } from '../driver/limits.ts';
import { signal } from '../driver/message.ts';
import type { Peer } from '../driver/peer.ts';
import { type AcceptOptions, acceptAll, pauseToRetry } from './accept.ts';
import type { Attachment } from './attachment.ts';
import { checkMessage, closeAll } from './datagram.ts';
import { Ear } from './ear.ts';
import { isGone } from './gone.ts';
import type { Log } from './log.ts';
import { Newcomers } from './newcomers.ts';
import { ownMessage } from './own-message.ts';

/** A client, as the daemon is connected with it. */
export interface Connection {
  readonly peer: Peer;
  readonly accepted: AcceptedClient;
  /** Turns on or off that it gets messages for others. */
  eavesdrop(on: boolean): void;
  /** It loses its rules, and gets everything that its rules as a monitor select. `serial`: of its call. */
  becomeMonitor(serial: number): void;
  /** Disconnects it. */
  close(reason?: string): void;
}

/** What the bus can do for the driver. */
export interface Services {
  start(effect: Effect & { do: 'start' }): void;
  setEnvironment(variables: Readonly<Record<string, string>>): void;
  reload(peer: Peer, header: Header): void;
}

/** Why a native client must go. */
export const RESTRICTED =
  'the policy restricts messages of its user, which must connect to the listener of legacy clients';
export const EVERYONE = multicastAddress(0);
/** Prefix of the addresses that stand for well-known names (docs/dbus.md section 1). */
const NAME_PREFIX = 1;
/** Maximum number of clients that wait to be accepted. */
const BACKLOG = 128;
/** A queue holds one message more than its length (docs/af_bus.md, section 4). */
const LENGTH = NATIVE_QUEUE - 1;
/** The same for this process's own attachments, which it always reads even if their clients do not. */
const OWN_QUEUE = 16384;
/** Maximum number of messages of the bus that may wait for room in a native client's queue. */
const MAX_WAITING = 1024;

export class Bus {
  readonly driver: Driver;
  readonly log: Log;
  /** What clients of both transports authenticate with. */
  readonly guid: string;
  readonly mechanisms: readonly Mechanism[];
  readonly newcomers = new Newcomers(() => this.driver.limits.max_incomplete_connections);
  readonly #master: BusMaster;
  readonly #services: Services;
  readonly #connections = new Map<string, Connection>();
  /** Attachments of this process that the accept loop got before the code that made them. */
  readonly #unclaimed = new Map<string, AcceptedClient>();
  /** Attachments of this process that were given up before they were accepted. */
  readonly #abandoned = new Set<string>();
  #onNative: ((accepted: AcceptedClient) => void) | undefined;
  /** Native clients that came before they could be served. */
  readonly #early: AcceptedClient[] = [];
  /** Addresses of names that have owners. None is ever used for another name. */
  readonly #nameAddresses = new Map<string, string>();
  #lastNameAddress = 0;
  /** How each effect is carried out. */
  readonly #acts: { readonly [Do in Effect['do']]: (effect: Effect & { do: Do }) => void } = {
    join: ({ peer }) => this.#attempt(peer, (connection) => this.#join(connection)),
    send: ({ to, message }) => this.#send(to, this.#marshal(message), []),
    broadcast: ({ message }) => this.#toAll(this.#voice?.accepted, this.#marshal(message), []),
    forward: ({ from, to, message }) => this.#forward(from, to, message),
    multicast: ({ from, message }) => this.#multicast(from, message),
    discard: ({ message }) => closeAll(message.fds as readonly OwnedFd[]),
    'add-match': ({ peer, rule }) => this.#attempt(peer, ({ accepted }) => accepted.addMatch(rule)),
    'remove-match': ({ peer, rule }) => this.#attempt(peer, ({ accepted }) => accepted.removeMatch(rule)),
    own: ({ name, from, to }) => this.#own(name, from, to),
    eavesdrop: ({ peer, on }) => this.#attempt(peer, (connection) => connection.eavesdrop(on)),
    monitor: ({ peer, serial }) => this.#attempt(peer, (connection) => connection.becomeMonitor(serial)),
    environment: ({ variables }) => this.#services.setEnvironment(variables),
    reload: ({ peer, header }) => this.#services.reload(peer, header),
    start: (effect) => this.#services.start(effect),
    disconnect: ({ peer, reason }) => this.#connections.get(peer.address)?.close(reason),
    log: ({ text, peer }) => this.log(text, peer),
  };
  /** The bus sends its broadcasts through this attachment, whose client has not joined. */
  #voice: Attachment | undefined;
  #ear: Ear | undefined;
  #serial = 0;

  private constructor(master: BusMaster, { driver, log, guid, mechanisms, services }: BusOptions) {
    this.#master = master;
    this.driver = driver;
    this.log = log;
    this.guid = guid;
    this.mechanisms = mechanisms;
    this.#services = services;
  }

  static async open(path: string, options: BusOptions): Promise<Bus> {
    const master = await BusMaster.listen({
      ...{ path, protocol: 'dbus', backlog: BACKLOG, queueLength: LENGTH },
      // A client that does not read must not delay those that send to it.
      overflow: 'evict',
      sendBuffer: options.driver.limits.max_message_size + MESSAGE_ROOM,
    });
    const bus = new Bus(master, options);
    bus.#voice = await bus.attach();
    bus.#ear = new Ear({
      driver: bus.driver,
      log: bus.log,
      attach: () => bus.attach(),
      pause: pauseToRetry,
      lose: (peer) =>
        bus.#connections.get(peer.address)?.close('more messages came for it than the bus could pass on'),
      copy: (to, bytes, fds) => void bus.#copy(to, bytes, fds),
    });
    await bus.#ear.join();
    return bus;
  }

  /** From now on, native clients are given to this function. */
  serve(onNative: (accepted: AcceptedClient) => void): void {
    this.#onNative = onNative;
    for (const accepted of this.#early.splice(0)) onNative(accepted);
    void acceptAll(this.#master, (accepted) => this.#onAccepted(accepted), this.acceptOptions);
  }

  /** Functions that admit the clients of each transport. */
  get acceptOptions(): AcceptOptions {
    return { log: this.log, waitForRoom: () => this.newcomers.waitForRoom() };
  }

  /** Bytes of the longest message that the kernel takes. */
  get maxMessage(): number {
    return this.#master.sendBuffer - MESSAGE_ROOM;
  }

  /** Makes an attachment for a client of another transport. It has not joined yet. */
  async attach(): Promise<Attachment> {
    this.#emptyBacklog();
    this.#master.queueLength = OWN_QUEUE;
    // The backlog has room, so this connects at once. Clients that connect later get the short queue again.
    const connecting = BusClient.connect(this.#master.path, { protocol: 'dbus' });
    this.#master.queueLength = LENGTH;
    const client = await connecting;
    try {
      while (!this.#unclaimed.has(client.address)) {
        const next = this.#master.tryAccept();
        if (next) this.#onAccepted(next);
        // The accept loop has got it, and is about to report that.
        else await immediate();
      }
    } catch (error) {
      this.#abandoned.add(client.address);
      client.close();
      throw error;
    }
    const accepted = this.#unclaimed.get(client.address) as AcceptedClient;
    this.#unclaimed.delete(client.address);
    return { client, accepted };
  }

  /**
   * Makes the accept loop take strangers from the backlog: while it admits no more of them, an attachment would wait
   * after them.
   */
  #emptyBacklog(): void {
    for (let n = 0; n < BACKLOG; n++) {
      const next = this.#master.tryAccept();
      if (next === undefined) return;
      this.#onAccepted(next);
    }
  }

  add(connection: Connection): void {
    this.#connections.set(connection.peer.address, connection);
    this.driver.connect(connection.peer);
  }

  /** The client has left, or must leave. */
  remove(connection: Connection): void {
    if (!this.#connections.delete(connection.peer.address)) return;
    connection.accepted.close();
    this.perform(this.driver.leave(connection.peer));
    this.#ear?.delete(connection.peer);
  }

  /** The policy has changed: expels native clients whose messages it restricts now, since the kernel does not ask it. */
  reconsider(): void {
    for (const connection of [...this.#connections.values()])
      if (!connection.peer.tracked && this.driver.restricts(connection.peer)) connection.close(RESTRICTED);
  }

  /** The client at a prefix-0 address; undefined for the master, and for a client that has left. */
  peerAt(address: string): Peer | undefined {
    return this.#connections.get(address)?.peer;
  }

  /** The address to which messages for a name are sent. */
  addressOf(name: string, owner: Peer): string {
    return this.#nameAddresses.get(name) ?? owner.address;
  }

  /** Reads what a client has sent to the master, and carries out what follows. */
  pump(connection: Connection): void {
    for (const message of connection.accepted.tryReceive()) this.handle(connection, message);
  }

  handle(connection: Connection, message: Message): void {
    const { peer } = connection;
    let header: Header;
    try {
      // A client is not to blame for descriptors for which this process has no room.
      const isChecked = peer.tracked || message.controlTruncated;
      header = isChecked ? readHeader(message.data) : checkMessage(message);
    } catch (error) {
      if (!(error instanceof NotDbus)) throw error;
      closeAll(message.fds);
      connection.close(`it has sent what is no D-Bus message: ${error.message}`);
      return;
    }
    try {
      if (message.controlTruncated)
        throw new DriverError('LimitsExceeded', 'The bus has no room for the descriptors of the message');
      this.perform(this.driver.handle(peer, { header, bytes: message.data, fds: message.fds }));
    } catch (error) {
      this.#excuse(peer, header, error as Error);
      closeAll(message.fds);
    }
  }

  /** A message that this program fails to handle ends neither the bus nor a connection: it is answered and logged. */
  #excuse(peer: Peer, header: Header, error: Error): void {
    this.log(`cannot handle a message: ${error instanceof DriverError ? error.message : error.stack}`, peer);
    const why = new DriverError('Failed', `The bus could not handle the message: ${error.message}`);
    this.perform(this.driver.refuse(peer, header, error instanceof DriverError ? error : why));
  }

  perform(effects: readonly Effect[]): void {
    for (const effect of effects) (this.#acts[effect.do] as (effect: Effect) => void)(effect);
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
    // An open attachment would keep the process alive.
    this.newcomers.closeAll();
    this.#ear?.close();
    this.#voice?.client.close();
    this.#voice?.accepted.close();
    this.#master.close();
  }

  #onAccepted(accepted: AcceptedClient): void {
    if (this.#abandoned.delete(accepted.peer)) accepted.close();
    else if (accepted.credentials.pid === process.pid) this.#unclaimed.set(accepted.peer, accepted);
    // An attachment may come after strangers that the accept loop would have kept waiting.
    else if (this.newcomers.full) accepted.close();
    else if (this.#onNative) this.#onNative(accepted);
    else this.#early.push(accepted);
  }

  #join(connection: Connection): void {
    connection.accepted.join();
    this.newcomers.delete(connection);
  }

  /** Ignores errors that say that a client has gone, and logs all others. */
  #attempt(peer: Peer, act: (connection: Connection) => void): void {
    const connection = this.#connections.get(peer.address);
    if (connection === undefined) return;
    try {
      act(connection);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (!isGone(error)) connection.close(error.message);
    }
  }

  #marshal(message: Outgoing): Buffer {
    this.#serial = (this.#serial % 0xffff_ffff) + 1;
    return ownMessage(message, this.#serial, this.maxMessage);
  }

  #send(to: Peer, bytes: Uint8Array, fds: readonly OwnedFd[]): void {
    void this.#copy([to], bytes, fds);
  }

  async #copy(to: readonly Peer[], bytes: Uint8Array, fds: readonly OwnedFd[]): Promise<void> {
    const gifts = to.map((peer) => this.#give(peer, bytes, fds));
    await Promise.allSettled(gifts);
    closeAll(fds);
    await Promise.all(gifts);
  }

  /** The descriptors must stay open until it is done. */
  async #give(to: Peer, bytes: Uint8Array, fds: readonly OwnedFd[]): Promise<void> {
    const connection = this.#connections.get(to.address);
    if (connection && connection.accepted.pendingSends > MAX_WAITING) connection.close('it does not read');
    else if (connection) await this.#settle(connection.accepted.send(bytes, { fds }), [], to);
  }

  /** From now on a native client gets what it wants of messages for others, or nothing of these any more. */
  hear(peer: Peer, on: boolean): void {
    if (on) this.#ear?.add(peer);
    else this.#ear?.delete(peer);
  }

  #forward(from: Peer, to: Peer, { header, bytes, fds }: Incoming): void {
    const whole = this.#inNameOf(from, header, bytes);
    if (whole === undefined) {
      closeAll(fds as readonly OwnedFd[]);
      return;
    }
    this.#send(to, whole, fds as readonly OwnedFd[]);
    if (!from.tracked) this.#tellAddress(from, header.destination as string, to);
  }

  /** Tells a native client an address that it does not know, so that it sends there directly from now on. */
  #tellAddress(to: Peer, name: string, owner: Peer): void {
    const address = addressToBigInt(this.addressOf(name, owner) as BusAddress);
    const args = [
      { type: 's', value: name },
      { type: 't', value: address },
    ];
    const message = { ...signal('Forwarded', args, to), interface: 'org.freedesktop.DBus.AF_BUS' };
    this.#send(to, this.#marshal(message), []);
  }

  #multicast(from: Peer, { header, bytes, fds }: Incoming): void {
    const accepted = this.#connections.get(from.address)?.accepted;
    const whole = this.#inNameOf(from, header, bytes);
    if (whole === undefined) closeAll(fds as readonly OwnedFd[]);
    else this.#toAll(accepted, whole, fds as readonly OwnedFd[], this.#voice?.accepted);
  }

  /** A message with its true sender; undefined if that makes it too long, which its sender is told. */
  #inNameOf(from: Peer, header: Header, bytes: Uint8Array): Buffer | undefined {
    const whole = Buffer.concat(forwarded(bytes, header, from.name));
    if (whole.length <= this.maxMessage) return whole;
    this.refuseLength(from, header, whole.length);
    return undefined;
  }

  refuseLength(from: Peer, header: Header, length: number): void {
    const text = `A message of ${length} bytes is longer than the ${this.maxMessage} bytes that the bus takes`;
    this.perform(this.driver.refuse(from, header, new DriverError('LimitsExceeded', text)));
  }

  /** Sends to everyone. `instead`: sends if the client of `through` has left meanwhile. */
  #toAll(
    through: AcceptedClient | undefined,
    bytes: Uint8Array,
    fds: readonly OwnedFd[],
    instead?: AcceptedClient,
  ): void {
    if (through === undefined) {
      closeAll(fds);
      return;
    }
    const sending = through.send(bytes, { to: EVERYONE, fds }).catch((error) => {
      if (instead === undefined || !(error instanceof BusError) || error.code !== 'EPIPE') throw error;
      return instead.send(bytes, { to: EVERYONE, fds });
    });
    void this.#settle(sending, fds);
  }

  /** Descriptors are closed after they were sent, or could not be. */
  async #settle(sending: Promise<void>, fds: readonly OwnedFd[], to?: Peer): Promise<void> {
    try {
      await sending;
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (!isGone(error)) this.log(`a message is lost: ${error.message}`, to);
    } finally {
      closeAll(fds);
    }
  }

  /** Removes the name's address and the rules about it. */
  #own(name: string, from: Peer | undefined, to: Peer | undefined): void {
    const address = this.#nameAddresses.get(name) ?? formatAddress(NAME_PREFIX, ++this.#lastNameAddress);
    if (to) this.#nameAddresses.set(name, address);
    else this.#nameAddresses.delete(name);
    if (from) this.#attempt(from, ({ accepted }) => accepted.deleteAddress(address));
    if (to)
      this.#attempt(to, ({ accepted }) => {
        accepted.addAddress(address);
        accepted.setName(name);
      });
    else if (from && from.state !== 'gone') this.#attempt(from, () => this.#master.unsetName(name));
  }
}

export interface BusOptions {
  readonly driver: Driver;
  readonly log: Log;
  readonly guid: string;
  readonly mechanisms: readonly Mechanism[];
  readonly services: Services;
}

/** Bytes of the send buffer that the kernel needs in addition to the message. */
const MESSAGE_ROOM = 32;
