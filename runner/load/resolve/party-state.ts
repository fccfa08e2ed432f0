// SPDX-License-Identifier: MIT
/**
 * What the steps so far have done to the parties, as far as the file alone shows it: enough to expand groups at a step,
 * and to refuse impossible steps. It knows nothing of queues, time or concurrency.
 */

import type { Address } from '../../common/address.ts';
import { prefixNumber } from '../../common/address.ts';
import type { ClientSpec, Sender } from '../../topology/topology.ts';
import { ruleKey } from './rules.ts';

/** Since which line, and the node whose fault has paused it, if one has. */
export interface Pause {
  readonly line: number;
  readonly node?: string;
}

export interface ClientState {
  readonly name: string;
  readonly bus: string;
  joined: boolean;
  eavesdrops: boolean;
  reading: boolean;
  /** Why it takes no part any more (`killed`, `expelled` …), and the line that says so. */
  gone?: { readonly how: 'killed' | 'stopped' | 'expelled' | 'disconnected'; readonly line: number };
  paused?: Pause;
  /** Set while the number of its descriptors is limited. */
  limited?: { readonly line: number } | undefined;
  addresses: ReadonlySet<Address>;
  /**
   * Its match rules, in a form that is equal for rules that mean the same; a rule that it has twice is listed twice.
   */
  rules: readonly string[];
}

export interface MasterState {
  gone?: { readonly how: 'killed' | 'stopped' | 'left'; readonly line: number };
  /** Its listening socket is closed. */
  deaf?: { readonly line: number };
  paused?: Pause;
}

export type Change = (parties: PartyState) => void;

export class PartyState {
  readonly #clients: Map<string, ClientState>;
  readonly #masters: Map<string, MasterState>;
  readonly #changes: Change[] = [];
  /** Lists that were asked for since the last change: in a file of thousands of sends most ask for the same ones. */
  readonly #lists = new Map<string, readonly ClientState[]>();
  /** Set in a branch of a parallel step: other branches may undo what this one sees. */
  readonly concurrent: boolean;

  private constructor(
    clients: Map<string, ClientState>,
    masters: Map<string, MasterState>,
    concurrent: boolean,
  ) {
    this.#clients = clients;
    this.#masters = masters;
    this.concurrent = concurrent;
  }

  static start(clients: Iterable<ClientSpec>, buses: Iterable<string>): PartyState {
    const states = [...clients].map((client): [string, ClientState] => [client.name, startOf(client)]);
    return new PartyState(new Map(states), new Map([...buses].map((bus) => [bus, {}])), false);
  }

  /** A copy for one branch of a parallel step. */
  branch(): PartyState {
    const clients = [...this.#clients].map(([name, state]): [string, ClientState] => [name, { ...state }]);
    const masters = [...this.#masters].map(([bus, state]): [string, MasterState] => [bus, { ...state }]);
    return new PartyState(new Map(clients), new Map(masters), true);
  }

  /** Applies the changes that branches made. */
  merge(branches: readonly PartyState[]): void {
    for (const branch of branches) for (const change of branch.#changes) this.apply(change);
  }

  apply(change: Change): void {
    this.#changes.push(change);
    this.#lists.clear();
    change(this);
  }

  /** Adds a client that starts while steps are played. */
  add(client: ClientSpec): void {
    this.#clients.set(client.name, startOf(client));
  }

  client(name: string): ClientState | undefined {
    return this.#clients.get(name);
  }

  master(bus: string): MasterState | undefined {
    return this.#masters.get(bus);
  }

  party(party: Sender): ClientState | MasterState | undefined {
    return party.kind === 'client' ? this.client(party.name) : this.master(party.bus);
  }

  /** Clients of a bus that exist, joined or not, in file order. */
  present(bus: string): readonly ClientState[] {
    const there = (client: ClientState) => client.bus === bus && client.gone === undefined;
    return this.#list(`present ${bus}`, () => [...this.#clients.values()].filter(there));
  }

  joined(bus: string): readonly ClientState[] {
    return this.#list(`joined ${bus}`, () => this.present(bus).filter((client) => client.joined));
  }

  eavesdroppers(bus: string): readonly ClientState[] {
    return this.#list(`eavesdroppers ${bus}`, () => this.joined(bus).filter((client) => client.eavesdrops));
  }

  members(bus: string, prefix: number): readonly ClientState[] {
    const holds = (client: ClientState) =>
      [...client.addresses].some((each) => prefixNumber(each) === prefix);
    return this.#list(`members ${bus} ${prefix}`, () => this.joined(bus).filter(holds));
  }

  #list(what: string, make: () => readonly ClientState[]): readonly ClientState[] {
    const known = this.#lists.get(what) ?? make();
    this.#lists.set(what, known);
    return known;
  }
}

const startOf = (client: ClientSpec): ClientState => ({
  name: client.name,
  bus: client.bus,
  joined: client.join && client.admitted,
  eavesdrops: client.eavesdrop && client.join && client.admitted,
  reading: client.receive === 'auto',
  addresses: new Set(client.addresses),
  rules: (client.match ?? []).map(ruleKey),
});
