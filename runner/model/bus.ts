// SPDX-License-Identifier: MIT
/** Creating a bus, and connecting clients (sections 1 and 2). */
import { clientAddress } from '../common/address.ts';
import { Fifo } from './fifo.ts';
import { both, nfdbus } from './nfdbus.ts';
import type { Bus, Endpoint, Errno, Overflow, Protocol, Verdict } from './types.ts';

/** BUS_MAX_QLEN */
export const DEFAULT_QUEUE_LENGTH = 10;
/** net.core.wmem_default */
export const DEFAULT_SEND_BUFFER = 212_992;

export interface BusOptions {
  readonly path?: string;
  readonly protocol?: Protocol;
  readonly queueLength?: number | undefined;
  readonly sendBuffer?: number | undefined;
  readonly overflow?: Overflow;
  readonly maxBacklog?: number;
  readonly verdict?: Verdict;
}

/** bind and listen (section 2). */
export function listen(options: BusOptions = {}): Bus {
  const { protocol = 'none', verdict } = options;
  return {
    path: options.path ?? '',
    protocol,
    verdict: protocol === 'dbus' ? both(nfdbus, verdict) : verdict,
    maxBacklog: options.maxBacklog ?? Number.POSITIVE_INFINITY,
    queueLength: options.queueLength ?? DEFAULT_QUEUE_LENGTH,
    sendBuffer: options.sendBuffer ?? DEFAULT_SEND_BUFFER,
    overflow: options.overflow ?? 'block',
    listening: true,
    seq: 0,
    lastClient: 0,
    ...nobody(),
  };
}

type Held = 'backlog' | 'accepted' | 'holders' | 'groups' | 'joined' | 'eavesdroppers' | 'names';

/** The state of a bus without endpoints. */
export const nobody = (): Pick<Bus, Held> => ({
  backlog: [],
  accepted: new Set(),
  holders: new Map(),
  groups: new Map(),
  joined: new Set(),
  eavesdroppers: new Set(),
  names: new Map(),
});

/** Takes a number in the sequence, for a message or a change of policy (section 4, "strictly ordered"). */
export const place = (bus: Bus): number => ++bus.seq;

/** connect (section 2). EAGAIN stands for a wait, if the caller may wait. */
export function connect(
  bus: Bus,
  path = bus.path,
): { readonly client: Endpoint } | { readonly error: Errno } {
  if (!bus.listening) return { error: 'ECONNREFUSED' };
  if (bus.backlog.length > bus.maxBacklog) return { error: 'EAGAIN' };
  place(bus);
  // Section 1: incremented from 1, and never assigned again while the bus lives.
  const address = clientAddress(++bus.lastClient);
  const client = endpoint(bus, 'client', address, path);
  const accepted = endpoint(bus, 'accepted', address, bus.path);
  client.peer = accepted;
  accepted.peer = client;
  client.addresses.add(address);
  bus.holders.set(address, client);
  bus.backlog.push(accepted);
  bus.accepted.add(accepted);
  return { client };
}

/** The connection that has waited longest; undefined if there is none. */
export const accept = (bus: Bus): Endpoint | undefined => bus.backlog.shift();

/** connect and accept in one step, with nothing in between. */
export function attach(
  bus: Bus,
): { readonly client: Endpoint; readonly accepted: Endpoint } | { readonly error: Errno } {
  const made = connect(bus);
  if ('error' in made) return made;
  accept(bus);
  return { client: made.client, accepted: made.client.peer as Endpoint };
}

function endpoint(bus: Bus, side: Endpoint['side'], address: string, path: string): Endpoint {
  return {
    bus,
    side,
    address,
    path,
    queueLength: bus.queueLength,
    sendBuffer: bus.sendBuffer,
    queue: new Fifo(),
    filter: undefined,
    rules: [],
    peer: undefined,
    joined: false,
    out: false,
    addresses: new Set(),
    shutRead: false,
    shutWrite: false,
    closed: false,
    error: undefined,
    lost: 0,
    queued: 0,
    draining: false,
    charged: 0,
    unread: 0,
  };
}
