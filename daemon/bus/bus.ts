// SPDX-License-Identifier: MIT
/** The AF_BUS bus, and this process as its master: what the driver wants is done here. */
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
import {
  DRIVER,
  forwarded,
  type Header,
  type Mechanism,
  marshal,
  NotDbus,
  readHeader,
} from '../../runner/dbus/index.ts';
import type { Driver } from '../driver/driver.ts';
import type { Effect, Incoming, Outgoing } from '../driver/effect.ts';
import { DriverError } from '../driver/error.ts';
import { signal } from '../driver/message.ts';
import type { Peer } from '../driver/peer.ts';
import { type AcceptOptions, acceptAll } from './accept.ts';
import { checkMessage, closeAll } from './datagram.ts';
import type { Log } from './log.ts';
import { Newcomers } from './newcomers.ts';

/** A client, as this process is connected with it. */
export interface Connection {
  readonly peer: Peer;
  readonly accepted: AcceptedClient;
  /** It hears what is for others, or no longer. */
  eavesdrop(on: boolean): void;
  /** Ends it for good. */
  close(reason?: string): void;
}

/** The two ends of an attachment that this process has made for a client of another transport. */
export interface Attachment {
  readonly client: BusClient;
  readonly accepted: AcceptedClient;
}

/** What a bus does that the driver cannot do by itself. */
export interface Services {
  start(effect: Effect & { do: 'start' }): void;
  setEnvironment(variables: Readonly<Record<string, string>>): void;
  reload(peer: Peer, serial: number): void;
}

export const EVERYONE = multicastAddress(0);
/** Well-known names have addresses of this prefix (docs/dbus.md section 1). */
const NAME_PREFIX = 1;
/** Clients that wait to be accepted. */
const BACKLOG = 128;
/** Messages that wait for a native client. One that lets more of them wait is expelled by the kernel. */
const NATIVE_QUEUE = 128;
/** This process always reads its own attachments, even if their clients do not read. */
const OWN_QUEUE = 16384;
/** Messages of the bus that may wait for room in a native client's queue. */
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
  /** Own attachments that the accept loop has found before their maker did. */
  readonly #unclaimed = new Map<string, AcceptedClient>();
  /** Own attachments that were given up before they could be accepted. */
  readonly #abandoned = new Set<string>();
  #onNative: ((accepted: AcceptedClient) => void) | undefined;
  /** Clients of the bus itself that came before they could be served. */
  readonly #early: AcceptedClient[] = [];
  readonly #nameAddresses = new Map<string, string>();
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
    monitor: ({ peer }) => this.#attempt(peer, ({ accepted }) => becomeMonitor(accepted)),
    environment: ({ variables }) => this.#services.setEnvironment(variables),
    reload: ({ peer, serial }) => this.#services.reload(peer, serial),
    start: (effect) => this.#services.start(effect),
    disconnect: ({ peer, reason }) => this.#connections.get(peer.address)?.close(reason),
    log: ({ text, peer }) => this.log(text, peer),
  };
  /** The bus itself speaks through this one when it speaks to all. Its client has not joined. */
  #voice: Attachment | undefined;
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
      ...{ path, protocol: 'dbus', backlog: BACKLOG, queueLength: NATIVE_QUEUE },
      // A client that does not read must not hold up those that send to it.
      overflow: 'evict',
      sendBuffer: options.driver.limits.max_message_size + MESSAGE_ROOM,
    });
    const bus = new Bus(master, options);
    bus.#voice = await bus.attach();
    return bus;
  }

  /** Clients of the bus itself are given to this, from now on. */
  serve(onNative: (accepted: AcceptedClient) => void): void {
    this.#onNative = onNative;
    for (const accepted of this.#early.splice(0)) onNative(accepted);
    void acceptAll(this.#master, (accepted) => this.#onAccepted(accepted), this.acceptOptions);
  }

  /** How clients of each transport are let in. */
  get acceptOptions(): AcceptOptions {
    return { log: this.log, space: () => this.newcomers.space() };
  }

  /** Bytes of the longest message that the kernel takes. */
  get maxMessage(): number {
    return this.#master.sendBuffer - MESSAGE_ROOM;
  }

  /** An attachment of this process, for a client of another transport. It has not joined. */
  async attach(): Promise<Attachment> {
    this.#emptyBacklog();
    this.#master.queueLength = OWN_QUEUE;
    // The backlog has space, so the call connects at once: clients that connect later have the short queue again.
    const connecting = BusClient.connect(this.#master.path, { protocol: 'dbus' });
    this.#master.queueLength = NATIVE_QUEUE;
    const client = await connecting;
    try {
      while (!this.#unclaimed.has(client.address)) {
        const next = this.#master.tryAccept();
        if (next) this.#onAccepted(next);
        // The accept loop has taken it, and is about to say so.
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

  /** Strangers that wait there, while the accept loop lets no more in, would make an attachment wait with them. */
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

  /** The client has gone, or must go. */
  remove(connection: Connection): void {
    if (!this.#connections.delete(connection.peer.address)) return;
    connection.accepted.close();
    this.perform(this.driver.leave(connection.peer));
  }

  /** The client at a prefix-0 address; undefined is the master, or one that has left. */
  peerAt(address: string): Peer | undefined {
    return this.#connections.get(address)?.peer;
  }

  /** The address to send to for what a name stands for. */
  addressOf(name: string, owner: Peer): string {
    return this.#nameAddresses.get(name) ?? owner.address;
  }

  /** Reads what a client has sent to the master, and does what is to be done. */
  pump(connection: Connection): void {
    for (const message of connection.accepted.tryReceive()) this.handle(connection, message);
  }

  handle(connection: Connection, message: Message): void {
    const { peer } = connection;
    try {
      const header = peer.tracked ? readHeader(message.data) : checkMessage(message);
      this.perform(this.driver.handle(peer, { header, bytes: message.data, fds: message.fds }));
    } catch (error) {
      if (!(error instanceof NotDbus)) throw error;
      closeAll(message.fds);
      connection.close(`it has sent what is no D-Bus message: ${error.message}`);
    }
  }

  perform(effects: readonly Effect[]): void {
    for (const effect of effects) (this.#acts[effect.do] as (effect: Effect) => void)(effect);
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
    // An open one would keep the process alive.
    this.newcomers.closeAll();
    this.#voice?.client.close();
    this.#voice?.accepted.close();
    this.#master.close();
  }

  #onAccepted(accepted: AcceptedClient): void {
    if (this.#abandoned.delete(accepted.peer)) accepted.close();
    else if (accepted.credentials.pid === process.pid) this.#unclaimed.set(accepted.peer, accepted);
    // An attachment may have come after strangers that the accept loop would have let wait.
    else if (this.newcomers.full) accepted.close();
    else if (this.#onNative) this.#onNative(accepted);
    else this.#early.push(accepted);
  }

  #join(connection: Connection): void {
    connection.accepted.join();
    this.newcomers.delete(connection);
  }

  /** A client that is gone needs nothing done; anything else that fails is told. */
  #attempt(peer: Peer, act: (connection: Connection) => void): void {
    const connection = this.#connections.get(peer.address);
    if (connection === undefined) return;
    try {
      act(connection);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (!GONE.has(error.code)) connection.close(error.message);
    }
  }

  #marshal(message: Outgoing): Buffer {
    this.#serial = (this.#serial % 0xffff_ffff) + 1;
    return marshal({ ...message, endian: 'little', sender: DRIVER }, this.#serial);
  }

  #send(to: Peer, bytes: Uint8Array, fds: readonly OwnedFd[]): void {
    const connection = this.#connections.get(to.address);
    if (connection && connection.accepted.pendingSends <= MAX_WAITING) {
      void this.#settle(connection.accepted.send(bytes, { fds }), fds, to);
      return;
    }
    closeAll(fds);
    connection?.close('it does not read');
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

  /** A native client that does not know an address learns it, and sends there itself from now on. */
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
    else this.#toAll(accepted, whole, fds as readonly OwnedFd[]);
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

  #toAll(through: AcceptedClient | undefined, bytes: Uint8Array, fds: readonly OwnedFd[]): void {
    if (through === undefined) closeAll(fds);
    else void this.#settle(through.send(bytes, { to: EVERYONE, fds }), fds);
  }

  /** Descriptors are closed when they are sent, or cannot be. */
  async #settle(sending: Promise<void>, fds: readonly OwnedFd[], to?: Peer): Promise<void> {
    try {
      await sending;
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (!GONE.has(error.code)) this.log(`a message is lost: ${error.message}`, to);
    } finally {
      closeAll(fds);
    }
  }

  /** The name's address and the rules about it go with it. */
  #own(name: string, from: Peer | undefined, to: Peer | undefined): void {
    const address = this.#nameAddresses.get(name) ?? formatAddress(NAME_PREFIX, this.#nameAddresses.size + 1);
    this.#nameAddresses.set(name, address);
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

/** The kernel wants this much more than a message has. */
const MESSAGE_ROOM = 32;

/** What says that a client has left meanwhile. */
const GONE = new Set([
  'EPIPE',
  'ENOTCONN',
  'ECONNREFUSED',
  'ECANCELED',
  'EBADF',
  'EADDRNOTAVAIL',
  'ENOENT',
  'ENOBUFS',
]);

/** It loses its rules, and sees everything. */
function becomeMonitor(accepted: AcceptedClient): void {
  accepted.removeAllMatches();
  accepted.addMatch('');
  accepted.setEavesdrop(true);
}
