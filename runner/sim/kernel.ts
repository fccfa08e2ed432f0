// SPDX-License-Identifier: MIT
/**
 * The simulated kernel: buses of the reference model with their paths, and the callers to wake when one of them
 * changes.
 *
 * The model says at once what a call does to a bus; the kernel adds what takes time. A send that finds no room waits
 * in line at one full queue, and is tried again when that has room. Those in line are tried one by one.
 */
import type { KernelRecord } from '../agent/kernel-log.ts';
import type { ListenOptions } from '../agent/system.ts';
import * as model from '../model/index.ts';
import type { Protocol } from '../topology/topology.ts';
import type { Hooks } from './bug.ts';
import { errorOf } from './errno.ts';
import type { WriteEnd } from './files.ts';
import type { SimMessageBus } from './message-bus.ts';
import type { Owner } from './owner.ts';
import type { SimSocket } from './socket.ts';

/** A message with everything that belongs to it. */
export interface Datagram extends model.Message {
  readonly data: Buffer;
  readonly files: readonly WriteEnd[];
  readonly owner: Owner;
}

interface Bound {
  readonly bus: model.Bus;
  readonly protocol: Protocol;
  /** Called when the listening process has a connection to accept. */
  readonly arrived: () => void;
  /** Callbacks of those that wait for room in the backlog. */
  readonly waiting: (() => void)[];
}

/** BUS_MAX_QLEN. Agents listen with more on a real kernel; here clients of small files wait for room as well. */
const BACKLOG = 10;

export class Kernel {
  readonly log: KernelRecord[] = [];
  /** Bugs to have, if any. */
  readonly hooks: Hooks;
  /** Path → the message bus of D-Bus at this path. */
  readonly messageBuses = new Map<string, SimMessageBus>();
  /** Clients that a message bus can start, by the path at which they wait. */
  readonly startables = new Map<string, () => void>();
  readonly #paths = new Map<string, Bound>();
  readonly #sockets = new Map<model.Endpoint, SimSocket>();
  /** Full endpoint → the sockets in line there, in the order in which they began to wait. */
  readonly #lines = new Map<model.Endpoint, Set<SimSocket>>();
  /** Listening sockets, and endpoints, accepted or not. */
  readonly #open = new Set<model.Bus | model.Endpoint>();

  constructor(hooks: Hooks = {}) {
    this.hooks = hooks;
  }

  /** Number of sockets that a process holds open. */
  get socketsLeft(): number {
    return this.#open.size;
  }

  /** bind and listen. Calls `arrived` for each connection. Throws EADDRINUSE. */
  listen({ path, protocol, ...options }: ListenOptions, arrived: () => void): model.Bus {
    if (this.#paths.has(path)) throw errorOf('EADDRINUSE', 'bind');
    const { drops } = this.hooks;
    const verdict = drops && ((passing: model.Passing) => (drops(passing) ? 'EPERM' : undefined));
    const bus = model.listen({
      path,
      protocol,
      maxBacklog: BACKLOG,
      ...options,
      ...(verdict && { verdict }),
    });
    this.#paths.set(path, { bus, protocol, arrived, waiting: [] });
    this.#open.add(bus);
    return bus;
  }

  closeListener(bus: model.Bus): void {
    const unaccepted = [...bus.backlog];
    const clients = unaccepted.map(({ peer }) => peer);
    model.closeListener(bus);
    for (const endpoint of unaccepted) this.#open.delete(endpoint);
    this.#open.delete(bus);
    const bound = this.#paths.get(bus.path);
    // A pathname stays until it is unlinked; an abstract name is free at once.
    if (bus.path.startsWith('@')) this.#paths.delete(bus.path);
    for (const wake of bound?.waiting.splice(0) ?? []) wake();
    this.changed(bus, clients);
  }

  /** The client's endpoint; undefined if the backlog is full: `wake` is called when to try again. */
  connect(path: string, protocol: Protocol, wake: () => void): model.Endpoint | undefined {
    const bound = this.#paths.get(path);
    if (bound === undefined) throw errorOf('ENOENT', 'connect');
    if (bound.protocol !== protocol) throw errorOf('ECONNREFUSED', 'connect');
    const made = this.#connect(bound.bus, path);
    if ('client' in made) {
      const { client } = made;
      this.#open.add(client).add(client.peer as model.Endpoint);
      bound.arrived();
      return client;
    }
    if (made.error !== 'EAGAIN') throw errorOf(made.error, 'connect');
    bound.waiting.push(wake);
    return undefined;
  }

  #connect(bus: model.Bus, path: string): ReturnType<typeof model.connect> {
    const address = this.hooks.address?.(bus);
    if (address === undefined) return model.connect(bus, path);
    const last = bus.lastClient;
    bus.lastClient = address - 1;
    const made = model.connect(bus, path);
    bus.lastClient = last;
    return made;
  }

  accept(bus: model.Bus): model.Endpoint | undefined {
    const accepted = model.accept(bus);
    this.#paths.get(bus.path)?.waiting.shift()?.();
    return accepted;
  }

  attach(endpoint: model.Endpoint, socket: SimSocket): void {
    this.#sockets.set(endpoint, socket);
  }

  /** One attempt of a send. */
  send(socket: SimSocket, datagram: Datagram, nonblocking: boolean): model.Outcome {
    const go = () => this.#send(socket, datagram);
    const { send } = this.hooks;
    return send ? send({ kernel: this, socket, datagram, nonblocking, go }) : go();
  }

  #send(socket: SimSocket, datagram: Datagram): model.Outcome {
    const outcome = model.send(socket.endpoint, datagram);
    if (!('sent' in outcome)) return outcome;
    for (const file of datagram.files) file.hold(outcome.copies.length);
    for (const endpoint of outcome.copies) this.#sockets.get(endpoint)?.readable();
    const { evicted } = outcome;
    if (evicted.length > 0)
      this.changed(socket.endpoint.bus, [...evicted, ...evicted.map(({ peer }) => peer)]);
    return outcome;
  }

  /** Up to `max` copies that are queued now. */
  receive(endpoint: model.Endpoint, max: number): model.Copy[] {
    const copies: model.Copy[] = [];
    while (copies.length < max) {
      const copy = model.receive(endpoint);
      if (copy === undefined) break;
      copies.push(copy);
    }
    if (this.#lines.size > 0)
      for (const each of new Set([endpoint, ...copies.map(({ sent }) => sent.sender)])) this.#room(each);
    return copies;
  }

  /**
   * Bytes that a socket has sent and somebody has not read: the sender owns their memory, whether charged to its buffer
   * or not.
   */
  unread(sender: model.Endpoint): number {
    const messages = new Set<model.Sent>();
    for (const { bus, queue } of this.#sockets.keys()) {
      if (bus !== sender.bus) continue;
      for (const { sent } of queue) if (sent.sender === sender) messages.add(sent);
    }
    return [...messages].reduce((sum, { message }) => sum + message.length, 0);
  }

  /** Puts the socket at the end of the line of one of these; a socket that is in one keeps its place. */
  queueUp(socket: SimSocket, [full]: readonly model.Endpoint[]): void {
    if (full === undefined || socket.waitsFor === full) return;
    this.leaveLine(socket);
    socket.waitsFor = full;
    const line = this.#lines.get(full);
    if (line) line.add(socket);
    else this.#lines.set(full, new Set([socket]));
  }

  /** The socket does not wait any more; the next in line is tried. */
  leaveLine(socket: SimSocket): void {
    const full = socket.waitsFor;
    if (full === undefined) return;
    socket.waitsFor = undefined;
    const line = this.#lines.get(full);
    line?.delete(socket);
    if (line?.size === 0) this.#lines.delete(full);
    else this.#room(full);
  }

  /** Changes a client's policy on behalf of the master; throws the error of the call. */
  policy(bus: model.Bus, what: string, act: () => model.Errno | undefined): void {
    const errno = act();
    if (errno) throw errorOf(errno, what);
    this.changed(bus, []);
  }

  expel(accepted: model.Endpoint): void {
    const { bus } = accepted;
    if (!this.hooks.expels?.(accepted)) model.expel(accepted);
    this.changed(
      bus,
      [...bus.accepted].flatMap((each) => [each, each.peer]),
    );
  }

  close(endpoint: model.Endpoint): void {
    for (const { sent } of endpoint.queue) {
      for (const file of (sent.message as Datagram).files) file.letGo();
    }
    const { peer } = endpoint;
    model.close(endpoint);
    if (peer && this.hooks.hidesClose?.(endpoint)) Object.assign(peer, { shutRead: false, shutWrite: false });
    if (!this.hooks.leaks?.(endpoint)) this.#open.delete(endpoint);
    this.#sockets.delete(endpoint);
    this.changed(endpoint.bus, [peer]);
  }

  /** Wakes these endpoints, which may have something to read or have ended, and those who wait on this bus. */
  changed(bus: model.Bus, endpoints: readonly (model.Endpoint | undefined)[]): void {
    for (const endpoint of endpoints) {
      const socket = endpoint && this.#sockets.get(endpoint);
      if (socket && model.readable(endpoint)) socket.readable();
      if (socket && model.hungUp(endpoint)) socket.hungUp();
    }
    for (const [full, line] of this.#lines) {
      if (full.bus === bus) for (const socket of line) socket.room();
    }
  }

  /** Adds a copy to a queue against all rules, for bugs. */
  push(to: model.Endpoint, message: Datagram, sender: model.Endpoint, seq: number): void {
    const from = sender.side === 'client' ? sender.address : model.MASTER;
    const sent = { message, seq, from, sender, weight: 0, holders: 0 };
    to.queue.push({ sent, length: message.length, lost: 0, eavesdropped: false, charged: false });
    for (const file of message.files) file.hold();
    this.#sockets.get(to)?.readable();
  }

  /** A full queue of this socket's bus where another socket is first in line, for bugs. */
  fullForAnother(socket: SimSocket): model.Endpoint | undefined {
    for (const [endpoint, [first]] of this.#lines)
      if (endpoint.bus === socket.endpoint.bus && first !== socket) return endpoint;
    return undefined;
  }

  /** Starts the client that waits at `at`; false if none does. */
  launch(at: string): boolean {
    const start = this.startables.get(at);
    start?.();
    return this.startables.delete(at);
  }

  #room(endpoint: model.Endpoint): void {
    const line = this.#lines.get(endpoint);
    if (line === undefined || (model.isFull(endpoint) && !endpoint.shutRead)) return;
    const [first] = line;
    first?.room();
  }
}
