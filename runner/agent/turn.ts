// SPDX-License-Identifier: MIT
/** Orders that a process carries out one after another, whichever of its agents each is for. */

import type { Agent } from './agent.ts';
import type { Told } from './protocol.ts';

/** Begins none after one that failed. */
export async function takeInTurn(orders: readonly Told[], agents: ReadonlyMap<string, Agent>): Promise<void> {
  for (const { agent, order } of orders) if (!(await agents.get(agent)?.take(order))) return;
}
