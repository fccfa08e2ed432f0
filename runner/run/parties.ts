// SPDX-License-Identifier: MIT
/** The parties and their states, as the steps so far and the ends of sockets have left them. */

import type { Address } from '../common/address.ts';
import { type Lane, masterOf, parseLane } from '../topology/lane.ts';
import type { BusSpec, ClientSpec, Topology } from '../topology/topology.ts';
import type { Agents } from './agents.ts';

export interface ClientState {
  readonly spec: ClientSpec;
  /** Prefix-0 address, once connected. */
  address: Address | null;
  joined: boolean;
  /** Whether it reads by itself. */
  reading: boolean;
  paused: boolean;
  /** Whether its socket or its process has ended: nothing can reach it any more. */
  ended: boolean;
}

export interface BusState {
  readonly spec: BusSpec;
  /** Whether the master has closed its sockets by a `leave`. */
  left: boolean;
  paused: boolean;
  readonly clients: readonly ClientState[];
}

export class Parties {
  readonly buses: ReadonlyMap<string, BusState>;
  readonly #clients: ReadonlyMap<string, ClientState>;
  readonly #agents: Agents;

  constructor({ buses, clients }: Topology, agents: Agents) {
    this.#agents = agents;
    this.#clients = new Map(clients.map((spec) => [spec.name, startOf(spec)]));
    const all = [...this.#clients.values()];
    this.buses = new Map(
      buses.map((spec) => [
        spec.name,
        { spec, left: false, paused: false, clients: all.filter((c) => c.spec.bus === spec.name) },
      ]),
    );
    agents.onReport((_, report) => {
      if (report.say === 'end') this.#ended(report.lane);
    });
  }

  client(name: string): ClientState {
    const client = this.#clients.get(name);
    if (!client) throw new Error(`no client of this topology: ${name}`);
    return client;
  }

  bus(name: string): BusState {
    const bus = this.buses.get(name);
    if (!bus) throw new Error(`no bus of this topology: ${name}`);
    return bus;
  }

  clients(): Iterable<ClientState> {
    return this.#clients.values();
  }

  /** Whether the client takes part: its process lives and its socket has not ended. */
  present({ spec, address, ended }: ClientState): boolean {
    return address !== null && !ended && this.#agents.alive(spec.name);
  }

  /** Whether messages for the client are read without an order. */
  reads(client: ClientState): boolean {
    return client.reading && !client.paused && this.present(client);
  }

  /** Whether the master exists, answers, and holds its accepted sockets. */
  masterActs({ spec, left, paused }: BusState): boolean {
    return !left && !paused && this.#agents.alive(masterOf(spec.name));
  }

  joined(bus: BusState): ClientState[] {
    return bus.clients.filter((c) => c.joined && this.present(c));
  }

  #ended(lane: Lane): void {
    const { client, accepted } = parseLane(lane);
    this.#lost(this.client(client), !accepted);
  }

  /** An accepted socket that ends by itself means that its client has ended; one that the master closed does not. */
  #lost(client: ClientState, own: boolean): void {
    if (own || !this.bus(client.spec.bus).left) client.ended = true;
  }
}

const startOf = (spec: ClientSpec): ClientState => ({
  spec,
  address: null,
  joined: false,
  reading: spec.receive === 'auto',
  paused: false,
  ended: false,
});
