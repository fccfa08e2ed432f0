// SPDX-License-Identifier: MIT
/** The parties of a topology on the reference model: buses and clients by name, who reads, and who is paused. */
import type { Address } from '../common/address.ts';
import { type Filter, runFilter } from '../common/filter.ts';
import * as model from '../model/index.ts';
import { busOf, type FaultAction } from '../topology/faults.ts';
import { acceptedLane, type Lane, parseLane, senderLane } from '../topology/lane.ts';
import type { BusSpec, ClientSpec, Sender, SendStep, Topology } from '../topology/topology.ts';
import type { Possibility } from './allowed.ts';

/** A message as the bus sees it; filters read its bytes. */
export interface Datagram {
  readonly length: number;
  readonly bytes: () => Uint8Array;
}

export interface Party {
  readonly name: string;
  readonly bus: string;
  readonly client: model.Endpoint;
  readonly accepted: model.Endpoint;
  /** It reads whatever comes, or would if it were not paused. */
  reading: boolean;
  paused: boolean;
}

export interface Host {
  readonly bus: model.Bus;
  paused: boolean;
  /** The master has left or died. */
  gone: boolean;
}

export class BusState {
  readonly topology: Topology;
  /** Faults that a master could not carry out; shared by all states that were forked from one. */
  readonly refused: FaultAction[];
  readonly parties: Map<string, Party>;
  readonly hosts: ReadonlyMap<string, Host>;
  readonly #lanes = new Map<model.Endpoint, Lane>();
  readonly #parties = new Map<model.Endpoint, Party>();
  /** Endpoints that may have unread copies: there are few, as most copies are read at once. */
  readonly #filled = new Set<model.Endpoint>();
  readonly #prefixes: ReadonlyMap<string, number>;
  /** Sends that did not change the state, with their outcomes. */
  readonly #steady = new Map<string, Possibility>();

  private constructor(
    topology: Topology,
    parties: readonly Party[],
    hosts: ReadonlyMap<string, Host>,
    refused: FaultAction[] = [],
  ) {
    this.topology = topology;
    this.refused = refused;
    this.parties = new Map(parties.map((party) => [party.name, party]));
    this.hosts = hosts;
    this.#prefixes = new Map(topology.groups.map(({ name, prefix }) => [name, prefix]));
    for (const party of parties) this.#addLanes(party);
  }

  #addLanes(party: Party): void {
    const { name, bus, client, accepted } = party;
    this.#lanes.set(client, name);
    this.#lanes.set(accepted, acceptedLane(bus, name));
    for (const endpoint of [client, accepted]) {
      this.#parties.set(endpoint, party);
      if (endpoint.queue.length > 0) this.#filled.add(endpoint);
    }
  }

  /** The state after every client has connected and its policy is in force, in file order. */
  static start(topology: Topology): BusState {
    const hosts = new Map(topology.buses.map((spec) => [spec.name, hostOf(spec)]));
    const parties = topology.clients
      .filter(({ startedByStep }) => !startedByStep)
      .map((spec) => partyOf(spec, hosts));
    return new BusState(topology, parties, hosts);
  }

  /** A copy of the state, or of these buses only, with everything on them. */
  fork(buses: Iterable<string> = this.hosts.keys()): BusState {
    const hosts = new Map<string, Host>();
    const of = new Map<string, (endpoint: model.Endpoint) => model.Endpoint>();
    for (const name of buses) {
      const host = this.host(name);
      const endpoints = [...this.parties.values()].filter(({ bus }) => bus === name);
      const twin = model.fork(
        host.bus,
        endpoints.flatMap(({ client, accepted }) => [client, accepted]),
      );
      hosts.set(name, { ...host, bus: twin.bus });
      of.set(name, twin.of);
    }
    const parties = Array.from(this.parties.values()).flatMap((party): Party[] => {
      const twin = of.get(party.bus);
      return twin ? [{ ...party, client: twin(party.client), accepted: twin(party.accepted) }] : [];
    });
    return new BusState(this.topology, parties, hosts, this.refused);
  }

  /** A copy in which the buses of `part` are as they are there. */
  with(part: BusState): BusState {
    const rest = this.fork([...this.hosts.keys()].filter((name) => !part.hosts.has(name)));
    const other = part.fork();
    const parties = [...this.parties.keys()].map((name) => other.parties.get(name) ?? rest.party(name));
    const hosts = new Map(
      [...this.hosts.keys()].map((name) => [name, other.hosts.get(name) ?? rest.host(name)]),
    );
    return new BusState(this.topology, parties, hosts, this.refused);
  }

  party(name: string): Party {
    const party = this.parties.get(name);
    if (!party) throw new Error(`no client of this topology: ${name}`);
    return party;
  }

  host(bus: string): Host {
    const host = this.hosts.get(bus);
    if (!host) throw new Error(`no bus of this topology: ${bus}`);
    return host;
  }

  laneOf(endpoint: model.Endpoint): Lane {
    return this.#lanes.get(endpoint) as Lane;
  }

  /** The socket through which a step sends. */
  sender({ from }: SendStep): model.Endpoint {
    return this.endpoint(senderLane(from));
  }

  /**
   * The destination address; undefined for a send to the client's master, or to the client that the master sends
   * through.
   */
  destination({ from, to }: SendStep): Address | undefined {
    switch (to.kind) {
      case 'address':
        return to.address;
      case 'bus':
        return model.EVERYONE;
      case 'group':
        return model.groupAddress(this.#prefixes.get(to.name) ?? 0);
      case 'master':
        return from.kind === 'master' ? model.NOBODYS : undefined;
      case 'client':
        return from.kind === 'master' && from.via === to.name
          ? undefined
          : this.party(to.name).client.address;
    }
  }

  send(step: SendStep, datagram: Datagram): model.Outcome {
    const to = this.destination(step);
    const { dbus } = step;
    const message = { ...datagram, ...(to !== undefined && { to }), ...(dbus && { dbus }) };
    const outcome = model.send(this.sender(step), message);
    if ('copies' in outcome) for (const each of outcome.copies) this.#filled.add(each);
    return outcome;
  }

  /** Whether a sender lacks budget, so that reading may let its send continue. */
  anyLacksBudget(): boolean {
    return [...this.endpoints()].some((each) => !model.hasBudget(each));
  }

  /** The outcome of an equal send after which nothing has changed. */
  known(step: SendStep, datagram: Datagram): Possibility | undefined {
    return this.#steady.get(this.#kindOf(step, datagram));
  }

  remember(step: SendStep, datagram: Datagram, possibility: Possibility): void {
    this.#steady.set(this.#kindOf(step, datagram), possibility);
  }

  forget(): void {
    this.#steady.clear();
  }

  #kindOf(step: SendStep, { length }: Datagram): string {
    return `${this.laneOf(this.sender(step))} ${this.destination(step)} ${length}`;
  }

  /** Whether messages at this socket are read as they come. */
  reads(endpoint: model.Endpoint): boolean {
    return this.acts(endpoint) && (endpoint.side === 'accepted' || this.partyAt(endpoint).reading);
  }

  /** Whether the process at this socket runs, rather than being paused. */
  acts(endpoint: model.Endpoint): boolean {
    const party = this.partyAt(endpoint);
    return endpoint.side === 'accepted' ? !this.host(party.bus).paused : !party.paused;
  }

  /** The party to which either endpoint of a connection belongs. */
  partyAt(endpoint: model.Endpoint): Party {
    return this.#parties.get(endpoint) as Party;
  }

  /** Every reader takes all its messages; false if there were none. */
  drain(endpoints: Iterable<model.Endpoint> = this.#filled): boolean {
    let any = false;
    for (const each of endpoints) {
      if (each.queue.length > 0 && this.reads(each)) any = take(each);
      if (each.queue.length === 0) this.#filled.delete(each);
    }
    return any;
  }

  /** The selected readers take all their messages. */
  drainAll(which: (lane: Lane) => boolean): void {
    this.drain([...this.#filled].filter((each) => which(this.laneOf(each))));
  }

  /** Whether there is a message and a reader for it. */
  hasOne(lane: Lane): boolean {
    const endpoint = this.endpoint(lane);
    return endpoint.queue.length > 0 && this.reads(endpoint);
  }

  takeOne(lane: Lane): void {
    model.receive(this.endpoint(lane));
  }

  endpoint(lane: Lane): model.Endpoint {
    const { client, accepted } = parseLane(lane);
    const party = this.party(client);
    return accepted ? party.accepted : party.client;
  }

  *endpoints(): Generator<model.Endpoint> {
    for (const { client, accepted } of this.parties.values()) {
      yield client;
      yield accepted;
    }
  }

  /** The bus that a fault affects. */
  busOf(action: FaultAction): string {
    return busOf(action, (client) => this.party(client).bus);
  }

  /** Applies a fault. */
  apply(action: FaultAction): void {
    this.forget();
    switch (action.fault) {
      case 'kill':
      case 'stop':
        this.#end(action.target);
        break;
      case 'pause':
      case 'resume':
        this.actor(action.target).paused = action.fault === 'pause';
        break;
      case 'leave':
        this.#end({ kind: 'master', bus: action.bus });
        break;
      case 'close-listener':
        model.closeListener(this.host(action.bus).bus);
        break;
      case 'stop-reading':
        this.party(action.client).reading = false;
        break;
      case 'start':
        this.#start(action);
        break;
      case 'read':
        read(this.party(action.client), action.count);
        break;
      case 'limit':
        break;
      default:
        if (policy(this.party(action.client).accepted, action)) this.refused.push(action);
    }
  }

  /** The party that acts: a client, or the host of a bus for its master. */
  actor(party: Sender): Party | Host {
    return party.kind === 'client' ? this.party(party.name) : this.host(party.bus);
  }

  #end(party: Sender): void {
    if (party.kind === 'client') {
      model.close(this.party(party.name).client);
      return;
    }
    const host = this.host(party.bus);
    host.gone = true;
    model.leave(host.bus);
  }

  #start(action: FaultAction & { readonly client: string }): void {
    const spec = this.topology.clients.find(({ name }) => name === action.client) as ClientSpec;
    const party = partyOf(spec, this.hosts);
    if (spec.addresses.some((address) => !party.client.addresses.has(address))) this.refused.push(action);
    this.parties.set(spec.name, party);
    this.#addLanes(party);
  }

  /** Two states with the same key behave alike from now on. */
  key(): string {
    const parts = Array.from(this.parties.values(), ({ client, accepted, reading, paused }) => [
      reading,
      paused,
      ...[client, accepted].map((end) => [
        end.queue.length,
        end.queued,
        end.draining,
        end.charged,
        end.unread,
        end.lost,
        end.error,
        end.joined,
        end.out,
        end.shutRead,
        end.shutWrite,
        end.peer !== undefined,
        end.bus.eavesdroppers.has(end),
        [...end.addresses].sort(),
        end.rules.map((rule) => rule.key).sort(),
      ]),
    ]);
    const hosts = Array.from(this.hosts.values(), ({ paused, gone, bus }) => [
      paused,
      gone,
      Array.from(bus.names, ([name, owner]) => [name, this.laneOf(owner)]).sort(),
    ]);
    return JSON.stringify([parts, hosts]);
  }
}

const hostOf = ({ path, protocol, queueLength, sendBuffer, overflow }: BusSpec): Host => ({
  bus: model.listen({ path, protocol, queueLength, sendBuffer, overflow }),
  paused: false,
  gone: false,
});

function partyOf(spec: ClientSpec, hosts: ReadonlyMap<string, Host>): Party {
  const made = model.attach((hosts.get(spec.bus) as Host).bus);
  if ('error' in made) throw new Error(`the model refuses ${spec.name}: ${made.error}`);
  const { client, accepted } = made;
  for (const rule of spec.match ?? []) model.addMatch(accepted, rule);
  for (const name of spec.names ?? []) model.setName(accepted, name);
  if (spec.join && spec.admitted) model.join(accepted);
  for (const address of spec.addresses) model.addAddress(accepted, address);
  if (spec.eavesdrop) model.setEavesdrop(accepted, true);
  if (spec.filter) client.filter = filterOf(spec.filter);
  return {
    name: spec.name,
    bus: spec.bus,
    client,
    accepted,
    reading: spec.receive === 'auto',
    paused: false,
  };
}

/** Runs a filter; every message in the model is a datagram. */
const filterOf =
  (filter: Filter): model.Filter =>
  (message) =>
    runFilter(filter, (message as model.Message & Datagram).bytes());

function take(endpoint: model.Endpoint): true {
  while (model.receive(endpoint));
  return true;
}

function read(party: Party, count: number | 'all'): void {
  if (count === 'all') party.reading = true;
  for (let n = 0; count === 'all' || n < count; n++) if (!model.receive(party.client)) return;
}

type Policy = Exclude<
  Extract<FaultAction, { client: string }>,
  { fault: 'read' | 'stop-reading' | 'limit' | 'start' }
>;

function policy(accepted: model.Endpoint, action: Policy): model.Errno | undefined {
  switch (action.fault) {
    case 'join':
      return model.join(accepted);
    case 'expel':
      model.expel(accepted);
      return undefined;
    case 'eavesdrop':
      return model.setEavesdrop(accepted, action.on);
    case 'add-address':
      return model.addAddress(accepted, action.address);
    case 'del-address':
      return model.delAddress(accepted, action.address);
    case 'add-match':
      return model.addMatch(accepted, action.rule);
    case 'remove-match':
      return model.removeMatch(accepted, action.rule);
    default:
      return action satisfies never;
  }
}
