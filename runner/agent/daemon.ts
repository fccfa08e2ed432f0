// SPDX-License-Identifier: MIT
/** The master of a message bus: our D-Bus daemon, in the agent's process, so that it ends with it. */
import type { Order } from './protocol.ts';
import { notMine, type Result, type Role, type Tools } from './roles.ts';

export class Daemon implements Role {
  readonly #tools: Tools;
  readonly nonce = 0;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  lanes(): [] {
    return [];
  }

  sender(): never {
    throw new Error('the daemon of a message bus sends nothing by order');
  }

  async handle(order: Order): Promise<Result> {
    if (order.do !== 'serve-dbus') return notMine(order, 'daemon');
    await this.#tools.system.serveDbus({ path: order.path, unixPath: order.unixPath });
    return undefined;
  }
}
