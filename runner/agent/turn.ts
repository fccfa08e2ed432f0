// SPDX-License-Identifier: MIT
/** Orders that a process carries out one after another, for any of its agents. */

import type { Agent } from './agent.ts';
import type { AddressedOrder } from './protocol.ts';

/** Stops at the first order that fails. */
export async function takeInTurn(
  orders: readonly AddressedOrder[],
  agents: ReadonlyMap<string, Agent>,
): Promise<void> {
  for (const { agent, order } of orders) if (!(await agents.get(agent)?.take(order))) return;
}
