// SPDX-License-Identifier: MIT
/**
 * A message bus of D-Bus on the simulated machine. The driver of the real daemon decides, and its effects are carried
 * out here, on queues in this process.
 */
import { Driver } from '../../daemon/driver/driver.ts';
import type { Effect, Outgoing } from '../../daemon/driver/effect.ts';
import { DriverError } from '../../daemon/driver/error.ts';
import { DEFAULT_LIMITS, NATIVE_QUEUE } from '../../daemon/driver/limits.ts';
import { Peer } from '../../daemon/driver/peer.ts';
import { onlyFor } from '../../daemon/driver/policy.ts';
import type { ServiceOrder } from '../agent/protocol.ts';
import type { DbusConnection, DbusDraft, DbusGiven } from '../agent/system.ts';
import { DRIVER, forwarded, marshal, matches, parse, parseRule, readHeader } from '../dbus/index.ts';
import type { BusLimits } from '../topology/message-bus.ts';
import type { DbusCopy, Hooks } from './bug.ts';
import type { WriteEnd } from './files.ts';
import type { Owner } from './owner.ts';

type BusHooks = Pick<Hooks, 'dbus' | 'keepsSleeper' | 'forgetsSleeper' | 'forgetsStart'>;

interface BusOptions {
  readonly hooks: BusHooks;
  readonly limits: BusLimits;
  readonly services: readonly ServiceOrder[];
  /** Starts the client that waits at a path; false if none does. */
  readonly launch: (at: string) => boolean;
}

/** The bus's id, which no client looks at. */
const ID = '0'.repeat(32);

export class SimMessageBus {
  readonly #driver: Driver;
  readonly #hooks: BusHooks;
  readonly #connections = new Map<Peer, SimDbusConnection>();
  /** Clients that sleep and have no room: they leave when everybody has the message. */
  readonly #full: Peer[] = [];
  #clients = 0;
  #serial = 0;

  readonly #owner: Owner;
  readonly #services: ReadonlyMap<string, ServiceOrder>;
  readonly #launch: BusOptions['launch'];
  /** Name → forgets that its service, which was started, has to own it in time. */
  readonly #deadlines = new Map<string, () => void>();

  constructor(owner: Owner, { hooks, limits, services, launch }: BusOptions) {
    const {
      pid,
      user: { uid },
    } = owner;
    const options = { limits: { ...DEFAULT_LIMITS, ...limits }, policy: onlyFor(uid), id: ID, machineId: ID };
    this.#driver = new Driver({ ...options, self: { pid, uid } });
    this.#driver.activation.setServices(services.map(({ name }) => ({ name, exec: [] })));
    this.#owner = owner;
    this.#services = new Map(services.map((service) => [service.name, service]));
    this.#launch = launch;
    this.#hooks = hooks;
  }

  join(owner: Owner, connect: 'native' | 'legacy'): SimDbusConnection {
    const address = `0000/${(++this.#clients).toString(16).padStart(12, '0')}`;
    const { pid, user } = owner;
    const peer = new Peer(address, { pid, uid: user.uid }, { fds: true, tracked: connect === 'legacy' });
    const { max_outgoing_bytes: bytes } = this.#driver.limits;
    const room = connect === 'native' ? { messages: NATIVE_QUEUE } : { bytes };
    const connection = new SimDbusConnection(this, owner, peer, room);
    this.#connections.set(peer, connection);
    this.#driver.connect(peer);
    return connection;
  }

  /** Passes a client's message to another client, to all that have a rule for it, or to the driver. */
  take(peer: Peer, bytes: Buffer, fds: readonly WriteEnd[]): void {
    const header = readHeader(bytes);
    const to = this.#driver.route(peer, header);
    const named = Buffer.concat(forwarded(bytes, header, peer.name));
    if (to === 'everyone') this.#toAll(peer, named, fds);
    else if (to === 'bus') {
      // It may hold them until a service has started.
      for (const end of fds) end.hold();
      this.#perform(this.#driver.handle(peer, { header, bytes, fds }));
    } else this.#deliver(to, named, fds);
    for (let full = this.#full.pop(); full; full = this.#full.pop()) this.leave(full);
  }

  /** Whether it errs, and keeps a client that it must cut off. */
  keeps(peer: Peer): boolean {
    return this.#hooks.keepsSleeper?.(peer) ?? false;
  }

  /** Whether it errs, and keeps nothing for a client that it cuts off. */
  forgets(peer: Peer): boolean {
    return this.#hooks.forgetsSleeper?.(peer) ?? false;
  }

  leave(peer: Peer): void {
    if (this.#connections.delete(peer)) this.#perform(this.#driver.leave(peer));
  }

  /** Carries out the driver's effects. Those that are left out cannot result from what these clients do. */
  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.do === 'send') this.#deliver(effect.to, this.#marshal(effect.message));
      else if (effect.do === 'broadcast') this.#toAll(undefined, this.#marshal(effect.message));
      else if (effect.do === 'forward') this.#deliver(effect.to, named(effect), fdsOf(effect));
      else if (effect.do === 'multicast') this.#toAll(effect.from, named(effect), fdsOf(effect));
      else if (effect.do === 'start') this.#start(effect);
      if (effect.do === 'forward' || effect.do === 'multicast' || effect.do === 'discard')
        for (const end of fdsOf(effect)) end.letGo();
    }
  }

  /** As a launcher does it. A program that exits with 0 may have gone to the background. */
  #start({ service: { name }, timeout }: Effect & { do: 'start' }): void {
    const service = this.#services.get(name) as ServiceOrder;
    const exit = this.#hooks.forgetsStart?.(service) ? 0 : this.#exitOf(service);
    this.#deadlines.get(name)?.();
    const late = new DriverError('TimedOut', `Failed to activate service '${name}': timed out`);
    this.#deadlines.set(
      name,
      this.#owner.process.clock.after(timeout, () => this.#failed(name, late)),
    );
    if (exit !== 0)
      this.#failed(name, new DriverError('Spawn.ChildExited', `Process ${name} exited with status ${exit}`));
  }

  #exitOf(service: ServiceOrder): number {
    return 'at' in service ? Number(!this.#launch(service.at)) : service.exit;
  }

  /** Does nothing if the name has an owner by now. */
  #failed(name: string, error: DriverError): void {
    const { activation } = this.#driver;
    if (activation.isStarting(name)) this.#perform(activation.failed(name, error));
  }

  #marshal(message: Outgoing): Buffer {
    return marshal({ ...message, endian: 'little', sender: DRIVER }, ++this.#serial);
  }

  #toAll(from: Peer | undefined, bytes: Buffer, fds: readonly WriteEnd[] = []): void {
    const message = parse(bytes);
    const sender = {
      unique: from?.name ?? DRIVER,
      owns: (name: string) => from !== undefined && this.#driver.names.ownerOf(name) === from,
    };
    for (const peer of this.#driver.active()) {
      const rules = peer.ruleTexts.map(parseRule);
      if (rules.some((rule) => 'key' in rule && matches(rule, message, sender)))
        this.#deliver(peer, bytes, fds);
    }
  }

  #deliver(to: Peer, bytes: Buffer, fds: readonly WriteEnd[] = []): void {
    const message = { ...parse(bytes), fds };
    const got = this.#hooks.dbus?.(message, to) ?? [message];
    const connection = this.#connections.get(to);
    for (const each of got) if (connection?.put(each, bytes.length) === false) this.#full.push(to);
  }
}

const named = ({ from, message: { bytes, header } }: Effect & { do: 'forward' | 'multicast' }): Buffer =>
  Buffer.concat(forwarded(bytes, header, from.name));

const fdsOf = ({ message }: Effect & { do: 'forward' | 'multicast' | 'discard' }) =>
  message.fds as readonly WriteEnd[];

/** What may wait for a client that sleeps. */
interface Room {
  readonly messages?: number;
  readonly bytes?: number;
}

class SimDbusConnection implements DbusConnection {
  readonly #bus: SimMessageBus;
  readonly #owner: Owner;
  readonly #peer: Peer;
  readonly #room: Room;
  #bytes = 0;
  #over = false;
  #inbox: DbusCopy[] = [];
  #arrival = Promise.withResolvers<void>();

  constructor(bus: SimMessageBus, owner: Owner, peer: Peer, room: Room) {
    this.#room = room;
    this.#bus = bus;
    this.#owner = owner;
    this.#peer = peer;
    owner.open.add({ close: () => this.#leave() });
  }

  async send(
    message: DbusDraft,
    serial: number,
    { fds }: { readonly fds: readonly { readonly fd: number }[] } = { fds: [] },
  ): Promise<void> {
    const count = fds.length > 0 && { unixFds: fds.length };
    await this.#owner.process.turn();
    const ends = fds.map(({ fd }) => this.#owner.descriptors.get(fd));
    this.#bus.take(this.#peer, marshal({ ...message, ...count, endian: 'little' }, serial), ends);
  }

  async *messages(): AsyncGenerator<DbusGiven, void, undefined> {
    for (;;) {
      const next = this.#inbox.shift();
      if (this.#inbox.length === 0) this.#bytes = 0;
      if (next !== undefined) yield this.#given(next);
      else if (this.#over) return;
      else {
        await this.#arrival.promise;
        this.#arrival = Promise.withResolvers();
      }
    }
  }

  /**
   * False if a client that sleeps has no room: its connection is over. Any other client reads in time here, however
   * slow it is.
   */
  put(message: DbusCopy, length: number): boolean {
    const { messages = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY } = this.#room;
    const { process } = this.#owner;
    this.#bytes += length;
    const full = this.#inbox.length >= messages || this.#bytes > bytes;
    if (!this.#over && process.paused && full && !this.#bus.keeps(this.#peer)) {
      this.#over = true;
      if (this.#bus.forgets(this.#peer)) this.#forget();
    }
    if (this.#over) return false;
    for (const end of message.fds) end.hold();
    this.#inbox.push(message);
    process.post(() => this.#arrival.resolve());
    return true;
  }

  /** The descriptors are held for this process since the message came. */
  #given({ fds, ...message }: DbusCopy): DbusGiven {
    const { descriptors } = this.#owner;
    const open = fds.map((end) => descriptors.adopt(end));
    return { ...message, fds: open.map((fd) => ({ fd, close: () => descriptors.close(fd) })) };
  }

  /** What it has not read is gone, with its descriptors. */
  #leave(): void {
    this.#forget();
    this.#bus.leave(this.#peer);
  }

  #forget(): void {
    for (const { fds } of this.#inbox.splice(0)) for (const end of fds) end.letGo();
  }
}
