// SPDX-License-Identifier: MIT
/** How clients, accepted sockets and the bus end (section 5). */
import { MASTER } from '../common/address.ts';
import { place } from './bus.ts';
import { forget } from './nfdbus.ts';
import { releaseAll } from './policy.ts';
import { endCharges, purge } from './queue.ts';
import type { Bus, Endpoint, Errno } from './types.ts';

export type Direction = 'read' | 'write' | 'both';

/** shutdown(2). On an accepted socket, `both` expels its client. */
export function shutdown(endpoint: Endpoint, how: Direction): void {
  place(endpoint.bus);
  shut(endpoint, how);
  if (endpoint.side === 'accepted') shutdownAccepted(endpoint, how);
  else shutdownClient(endpoint, how);
}

/** The master expels a client, which can still read its queue; its sends return EPIPE. */
export const expel = (accepted: Endpoint): void => shutdown(accepted, 'both');

/** Ends a client on behalf of its master or of the bus; both ends get `error` as SO_ERROR. */
export function expelClient(client: Endpoint, error?: Errno): void {
  goOut(client);
  shut(client, 'both', error);
  if (client.peer) shut(client.peer, 'both', error);
}

/** The last descriptor of a client's or of an accepted socket closes. */
export function close(endpoint: Endpoint): void {
  if (!endpoint.closed) closeEnd(endpoint, false);
}

/** No new clients can connect; connections that were not accepted are closed. The path is free for another bus. */
export function closeListener(bus: Bus): void {
  bus.listening = false;
  for (const accepted of bus.backlog.splice(0)) closeEnd(accepted, true);
}

/** The master leaves, or dies: all its sockets close. */
export function leave(bus: Bus): void {
  closeListener(bus);
  for (const accepted of [...bus.accepted]) close(accepted);
}

function closeEnd(endpoint: Endpoint, unaccepted: boolean): void {
  place(endpoint.bus);
  endpoint.closed = true;
  shut(endpoint, 'both');
  if (endpoint.side === 'client') closeClient(endpoint);
  else closeAccepted(endpoint, unaccepted || isUnread(endpoint));
  purge(endpoint);
}

function shut(endpoint: Endpoint, how: Direction, error?: Errno): void {
  if (how !== 'write') {
    endpoint.shutRead = true;
    endCharges(endpoint);
  }
  if (how !== 'read') endpoint.shutWrite = true;
  if (error !== undefined) endpoint.error = error;
}

/** Its addresses are free at once; its prefix-0 address is never assigned again. */
function goOut(client: Endpoint): void {
  if (client.out) return;
  const { bus } = client;
  place(bus);
  client.out = true;
  client.joined = false;
  bus.joined.delete(client);
  bus.eavesdroppers.delete(client);
  releaseAll(client);
  forget(client);
}

function unpair(endpoint: Endpoint): Endpoint | undefined {
  const { peer } = endpoint;
  endpoint.peer = undefined;
  if (peer) peer.peer = undefined;
  return peer;
}

function closeClient(client: Endpoint): void {
  const accepted = unpair(client);
  goOut(client);
  if (accepted) shut(accepted, 'both');
}

/** A joined client stays and can still talk to the others; one that has not joined loses its only party. */
function closeAccepted(accepted: Endpoint, unread: boolean): void {
  accepted.bus.accepted.delete(accepted);
  const client = unpair(accepted);
  if (client === undefined || client.joined || client.out) return;
  goOut(client);
  shut(client, 'both', unread ? 'ECONNRESET' : undefined);
}

/**
 * Whether messages of the client are lost with its accepted socket (docs/decisions/kernel.md: ECONNRESET, as AF_UNIX).
 */
function isUnread(accepted: Endpoint): boolean {
  for (const { sent } of accepted.queue)
    if (sent.from !== MASTER && sent.from === accepted.address) return true;
  return false;
}

/**
 * As with AF_UNIX, half a shutdown affects a client that has not joined; a joined one goes on
 * (docs/decisions/kernel.md).
 */
function shutdownAccepted(accepted: Endpoint, how: Direction): void {
  const client = accepted.peer;
  if (client === undefined || client.out) return;
  if (accepted.shutRead && accepted.shutWrite) expelClient(client);
  else if (!client.joined) shut(client, how === 'read' ? 'write' : 'read');
}

/** SHUT_RDWR leaves the bus; SHUT_WR ends what the accepted socket can read; `route` handles SHUT_RD. */
function shutdownClient(client: Endpoint, how: Direction): void {
  const all = client.shutRead && client.shutWrite;
  if (all) goOut(client);
  if (client.peer === undefined) return;
  if (all) shut(client.peer, 'both');
  else if (how === 'write') shut(client.peer, 'read');
}
