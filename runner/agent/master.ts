// SPDX-License-Identifier: MIT
/** A bus master: the listening socket, and one lane per accepted socket. */

import type { Address } from '../common/address.ts';
import { Lane } from './lane.ts';
import type { Order } from './protocol.ts';
import { notMine, type Result, type Role, type Tools } from './roles.ts';
import type { AcceptedSocket, Listener } from './system.ts';
import { Waiters } from './waiters.ts';

type Listen = Extract<Order, { do: 'listen' }>;
type Name = Extract<Order, { do: 'name' }>;

export class Master implements Role {
  readonly #tools: Tools;
  readonly #unnamed = new Map<Address, AcceptedSocket>();
  readonly #arrival: Waiters;
  readonly #lanes = new Map<string, Lane>();
  #listener: Listener | null = null;
  nonce = 0;

  constructor(tools: Tools) {
    this.#tools = tools;
    this.#arrival = new Waiters(tools.system.clock);
  }

  lanes(): Iterable<Lane> {
    return this.#lanes.values();
  }

  sender(via: string | undefined): AcceptedSocket {
    if (via === undefined) throw new Error('a master sends through the accepted socket of a client');
    return this.#accepted(via);
  }

  async handle(order: Order): Promise<Result> {
    switch (order.do) {
      case 'listen':
        await this.#listen(order);
        break;
      case 'name':
        return this.#name(order);
      case 'join':
        this.#accepted(order.client).join();
        break;
      case 'expel':
        this.#accepted(order.client).expel();
        break;
      case 'add-address':
        this.#accepted(order.client).addAddress(order.address);
        break;
      case 'del-address':
        this.#accepted(order.client).deleteAddress(order.address);
        break;
      case 'add-match':
        this.#accepted(order.client).addMatch(order.rule);
        break;
      case 'remove-match':
        this.#accepted(order.client).removeMatch(order.rule);
        break;
      case 'set-name':
        this.#accepted(order.client).setName(order.name);
        break;
      case 'eavesdrop':
        this.#accepted(order.client).setEavesdrop(order.on);
        break;
      case 'close-listener':
        this.#listener?.close();
        break;
      case 'leave':
        this.#listener?.close();
        await Promise.all(Array.from(this.#lanes.values(), (lane) => lane.close()));
        break;
      default:
        return notMine(order, 'master');
    }
    return undefined;
  }

  async #listen({ path, protocol, queueLength, sendBuffer, overflow, nonce }: Listen): Promise<void> {
    this.nonce = nonce;
    this.#listener = await this.#tools.system.listen({
      path,
      protocol,
      overflow,
      ...(queueLength !== undefined && { queueLength }),
      ...(sendBuffer !== undefined && { sendBuffer }),
    });
    void this.#accept(this.#listener);
  }

  async #accept(listener: Listener): Promise<void> {
    for await (const accepted of listener) {
      accepted.passCredentials = true;
      accepted.passSequence = true;
      this.#unnamed.set(accepted.peer, accepted);
      this.#arrival.settle();
    }
  }

  async #name({ peer, client, lane }: Name): Promise<Result> {
    let accepted = this.#unnamed.get(peer);
    for (; !accepted; accepted = this.#unnamed.get(peer)) await this.#arrival.wait();
    this.#unnamed.delete(peer);
    const named = new Lane(lane, accepted, this.nonce, this.#tools);
    this.#lanes.set(client, named);
    named.start();
    return { credentials: accepted.credentials };
  }

  #accepted(client: string): AcceptedSocket {
    const lane = this.#lanes.get(client);
    if (!lane) throw new Error(`no client ${client} was accepted`);
    return lane.socket as AcceptedSocket;
  }
}
