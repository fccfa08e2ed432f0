// SPDX-License-Identifier: MIT
/** Copies a bus, so that a caller can try what would happen. */
import { nobody } from './bus.ts';
import { Fifo } from './fifo.ts';
import type { Bus, Copy, Endpoint, Sent } from './types.ts';

export interface Fork {
  readonly bus: Bus;
  /** The endpoint in the copy that corresponds to one of the original. */
  readonly of: (endpoint: Endpoint) => Endpoint;
}

/** Copies a bus and everything on it, including `endpoints` that the bus no longer lists; messages are shared. */
export function fork(bus: Bus, endpoints: Iterable<Endpoint>): Fork {
  const made = new Map<Endpoint, Endpoint>();
  const messages = new Map<Sent, Sent>();
  const twin: Bus = { ...bus, ...nobody() };

  const of = (endpoint: Endpoint): Endpoint => {
    const known = made.get(endpoint);
    if (known) return known;
    const other: Endpoint = {
      ...endpoint,
      bus: twin,
      queue: new Fifo(),
      addresses: new Set(endpoint.addresses),
    };
    made.set(endpoint, other);
    other.peer = endpoint.peer && of(endpoint.peer);
    for (const copy of endpoint.queue) other.queue.push(copyOf(copy));
    return other;
  };
  const copyOf = (copy: Copy): Copy => {
    // Copying the sender may copy this message, too, since its queue may hold it: so that comes before the lookup.
    const sender = of(copy.sent.sender);
    const sent = messages.get(copy.sent) ?? { ...copy.sent, sender };
    messages.set(copy.sent, sent);
    return { ...copy, sent };
  };

  for (const endpoint of endpoints) of(endpoint);
  for (const each of bus.backlog) twin.backlog.push(of(each));
  for (const each of bus.accepted) twin.accepted.add(of(each));
  for (const [address, holder] of bus.holders) twin.holders.set(address, of(holder));
  for (const [prefix, group] of bus.groups) twin.groups.set(prefix, new Set([...group].map(of)));
  for (const each of bus.joined) twin.joined.add(of(each));
  for (const each of bus.eavesdroppers) twin.eavesdroppers.add(of(each));
  for (const [name, owner] of bus.names) twin.names.set(name, of(owner));
  return { bus: twin, of };
}
