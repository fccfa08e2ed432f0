// SPDX-License-Identifier: MIT
/** The master of a message bus: our D-Bus daemon, in the agent's process, so that it ends with it. */
import type { Order } from './protocol.ts';
import { DbusRole, notMine, type Result, type Tools } from './roles.ts';

export class Daemon extends DbusRole {
  readonly #tools: Tools;

  constructor(tools: Tools) {
    super();
    this.#tools = tools;
  }

  async handle(order: Order): Promise<Result> {
    if (order.do !== 'serve-dbus') return notMine(order, 'daemon');
    await this.#tools.system.serveDbus(order);
    return undefined;
  }
}
