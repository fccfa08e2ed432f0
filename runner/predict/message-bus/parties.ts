// SPDX-License-Identifier: MIT
/** The message buses of a topology as the model keeps them, and who is on them so far. */
import { DEFAULT_LIMITS } from '../../../daemon/driver/limits.ts';
import { uniqueName } from '../../dbus/index.ts';
import { MessageBus } from '../../model/index.ts';
import type {
  BusLimits,
  DbusAction,
  DbusClientSpec,
  MessageBuses,
  ServiceSpec,
} from '../../topology/message-bus.ts';

export class Parties {
  readonly #clients: ReadonlyMap<string, DbusClientSpec>;
  readonly #buses: ReadonlyMap<string, MessageBus>;
  readonly #limits: ReadonlyMap<string, BusLimits>;
  /** Bus → name → its service. */
  readonly #services: ReadonlyMap<string, ReadonlyMap<string, ServiceSpec>>;
  /** Clients that have connected → their unique names. */
  readonly #uniques = new Map<string, string>();

  constructor({ buses = [], clients = [] }: Partial<MessageBuses> = {}) {
    this.#clients = new Map(clients.map((client) => [client.name, client]));
    this.#buses = new Map(buses.map(({ name }) => [name, new MessageBus()]));
    this.#limits = new Map(buses.map(({ name, limits }) => [name, limits]));
    this.#services = new Map(
      buses.map(({ name, services }) => [name, new Map(services.map((each) => [each.name, each]))]),
    );
  }

  client(name: string): DbusClientSpec {
    const client = this.#clients.get(name);
    if (!client) throw new Error(`no client of a message bus: ${name}`);
    return client;
  }

  /** The bus of a client. */
  busOf(client: string): MessageBus {
    const { bus: name } = this.client(client);
    const bus = this.#buses.get(name);
    if (!bus) throw new Error(`no message bus: ${name}`);
    return bus;
  }

  /** The limits of a client's bus that matter here. */
  limitsOf(client: string): { readonly outgoing: number; readonly within: number } {
    const { max_outgoing_bytes, service_start_timeout } = {
      ...DEFAULT_LIMITS,
      ...this.#limits.get(this.client(client).bus),
    };
    return { outgoing: max_outgoing_bytes, within: service_start_timeout };
  }

  /** The service of a name on a client's bus. */
  serviceOf(client: string, name: string): ServiceSpec | undefined {
    return this.#services.get(this.client(client).bus)?.get(name);
  }

  /** Gives a client that connects the next unique name of its bus. */
  connect({ name, bus }: DbusClientSpec): void {
    const before = [...this.#uniques.keys()].filter((each) => this.client(each).bus === bus).length;
    this.#uniques.set(name, uniqueName(`0000/${(before + 1).toString(16).padStart(12, '0')}`));
  }

  uniqueOf(client: string): string | undefined {
    return this.#uniques.get(client);
  }

  /** The client of an action that nothing has started yet. */
  notStarted(action: DbusAction): string | undefined {
    const parties = 'to' in action && action.to !== undefined ? [action.client, action.to] : [action.client];
    return parties.find((name) => this.#clients.has(name) && !this.#uniques.has(name));
  }

  /** The client that gets a message to this client or well-known name. */
  holderOf(bus: MessageBus, to: string): string | undefined {
    if (!this.#clients.has(to)) return bus.ownerOf(to);
    return bus.has(to) ? to : undefined;
  }
}
