// SPDX-License-Identifier: MIT
/** The system under a simulated agent. */

import type { AcceptedSocket, Listener, ListenOptions, System } from '../agent/system.ts';
import { runFilter } from '../common/filter.ts';
import type * as model from '../model/index.ts';
import type { Datagram, Kernel } from './kernel.ts';
import { SimMessageBus } from './message-bus.ts';
import type { Owner } from './owner.ts';
import type { Scheduler } from './scheduler.ts';
import { SimAccepted, SimClient } from './socket.ts';

/** The process that connected, for SO_PEERCRED at the other end. */
export type Connected = Map<model.Endpoint, Owner>;

export function simSystem(scheduler: Scheduler, kernel: Kernel, owner: Owner, connected: Connected): System {
  const { process, descriptors } = owner;
  return {
    clock: process.clock,
    now: () => scheduler.now(),
    settled: () => process.turn(),

    async connect(path, { protocol, passCredentials, filter }) {
      await process.turn();
      for (;;) {
        const room = Promise.withResolvers<void>();
        const endpoint = kernel.connect(path, protocol, () => process.post(room.resolve));
        if (endpoint) {
          if (filter) endpoint.filter = (message) => runFilter(filter, (message as Datagram).data);
          connected.set(endpoint.peer as model.Endpoint, owner);
          return new SimClient(kernel, owner, endpoint, passCredentials);
        }
        await room.promise;
      }
    },

    async listen(options) {
      await process.turn();
      return new SimListener(kernel, owner, connected, options);
    },

    async serveDbus({ path, limits, services }) {
      await process.turn();
      const launch = (at: string) => kernel.launch(at);
      kernel.messageBuses.set(
        path,
        new SimMessageBus(owner, { hooks: kernel.hooks, limits, services, launch }),
      );
    },

    async startable(at, then) {
      await process.turn();
      kernel.startables.set(at, () => process.post(then));
    },

    async joinDbus(path, connect) {
      await process.turn();
      const bus = kernel.messageBuses.get(path.replace(/\.unix$/, ''));
      if (bus === undefined) throw new Error(`nobody listens at ${path}`);
      return bus.join(owner, connect);
    },

    pipes: async (count) => descriptors.pipes(count),
    write: (fd, text) => descriptors.get(fd).write(text),
    close: (fd) => descriptors.close(fd),
    limitDescriptors: (more) => descriptors.limit(more),
  };
}

class SimListener implements Listener {
  readonly #kernel: Kernel;
  readonly #owner: Owner;
  readonly #connected: Connected;
  readonly #bus: model.Bus;
  #arrival = Promise.withResolvers<void>();
  #closed = false;

  constructor(kernel: Kernel, owner: Owner, connected: Connected, options: ListenOptions) {
    this.#kernel = kernel;
    this.#owner = owner;
    this.#connected = connected;
    this.#bus = kernel.listen(options, () => owner.process.post(() => this.#arrival.resolve()));
    owner.open.add(this);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<AcceptedSocket, void, undefined> {
    while (!this.#closed) {
      const endpoint = this.#kernel.accept(this.#bus);
      if (endpoint) yield this.#accepted(endpoint);
      else {
        await this.#arrival.promise;
        this.#arrival = Promise.withResolvers();
      }
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#owner.open.delete(this);
    this.#kernel.closeListener(this.#bus);
    this.#arrival.resolve();
  }

  #accepted(endpoint: model.Endpoint): SimAccepted {
    const client = this.#connected.get(endpoint) as Owner;
    this.#connected.delete(endpoint);
    return new SimAccepted(this.#kernel, this.#owner, endpoint, client);
  }
}
