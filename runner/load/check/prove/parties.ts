// SPDX-License-Identifier: MIT
/** Which parties are on which bus. */
import type { Sender, Topology } from '../../../topology/topology.ts';

export function busOfSender({ clients, messageBuses }: Topology): (from: Sender) => string {
  const all = [...clients, ...(messageBuses?.clients ?? [])];
  const buses = new Map(all.map(({ name, bus }) => [name, bus]));
  return (from) => (from.kind === 'master' ? from.bus : (buses.get(from.name) ?? ''));
}
