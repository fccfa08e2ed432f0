// SPDX-License-Identifier: MIT
/** A client: one socket, one lane. */

import { expiring } from '../common/clock.ts';
import { Lane } from './lane.ts';
import type { Order } from './protocol.ts';
import { notMine, type Result, type Role, type Tools } from './roles.ts';
import type { Socket } from './system.ts';

type Connect = Extract<Order, { do: 'connect' }>;
type AwaitBlocked = Extract<Order, { do: 'await-blocked' }>;

export class Client implements Role {
  readonly #tools: Tools;
  #lane: Lane | null = null;
  nonce = 0;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  lanes(): Iterable<Lane> {
    return this.#lane ? [this.#lane] : [];
  }

  sender(): Socket {
    return this.#connected().socket;
  }

  async handle(order: Order): Promise<Result> {
    switch (order.do) {
      case 'connect':
        return this.#connect(order);
      case 'await-fence':
        await this.#connected().fence(order.number);
        return undefined;
      case 'stop-reading':
        await this.#connected().stop();
        return undefined;
      case 'limit':
        await this.#connected().limit(order.fds);
        return undefined;
      case 'read':
        return this.#read(order.count);
      case 'await-blocked':
        return this.#awaitBlocked(order);
      case 'await-end':
        return { ended: await this.#connected().ended(order.within) };
      default:
        return notMine(order, 'client');
    }
  }

  async #connect({ lane, path, protocol, receive, nonce, filter, buffer }: Connect): Promise<Result> {
    this.nonce = nonce;
    const socket = await this.#tools.system.connect(path, {
      protocol,
      passCredentials: true,
      passSequence: true,
      ...(filter && { filter }),
    });
    this.#lane = new Lane(lane, socket, nonce, {
      ...this.#tools,
      ...(buffer !== undefined && { maxBytes: buffer }),
    });
    if (receive === 'auto') this.#lane.start();
    else this.#lane.watch();
    return { address: socket.address };
  }

  async #read(count: number | 'all'): Promise<Result> {
    const lane = this.#connected();
    if (count !== 'all') return { read: await lane.read(count) };
    lane.start();
    await lane.drain();
    return undefined;
  }

  async #awaitBlocked({ blocked, within }: AwaitBlocked): Promise<Result> {
    const { socket } = this.#connected();
    const signal = expiring(this.#tools.system.clock, within);
    for (;;) {
      const message = await this.#tools.sending.blocked(socket);
      if ((message !== null) === blocked || signal.aborted) {
        return { blocked: message !== null, ...(message !== null && { message }) };
      }
      await socket.whenBlocked(blocked, { signal }).catch((error) => {
        if (!signal.aborted) throw error;
      });
    }
  }

  #connected(): Lane {
    if (!this.#lane) throw new Error('not connected');
    return this.#lane;
  }
}
